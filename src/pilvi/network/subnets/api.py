"""/subnets."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.standard.service import owner, values_of
from pilvi.network.subnets import policy, service
from pilvi.network.subnets.model import Subnet
from pilvi.network.subnets.wire import SubnetCreate, SubnetUpdate, SubnetView

routes = Routes("network", "/v2.0/subnets")


@routes.get(rule=policy.SHOW, view=SubnetView)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[Subnet]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=SubnetView)
def show(ctx: Context, tx: Tx, id: str) -> Subnet:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=SubnetCreate, view=SubnetView, status=201)
def create(ctx: Context, tx: Tx, body: SubnetCreate) -> Subnet:
    return service.create(ctx, tx, owner(ctx, body), values_of(body), given=body.given)


@routes.put("/{id}", rule=policy.UPDATE, body=SubnetUpdate, view=SubnetView)
def update(ctx: Context, tx: Tx, id: str, body: SubnetUpdate) -> Subnet:
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
