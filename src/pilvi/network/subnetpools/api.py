"""/subnetpools."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.standard.service import owner, values_of
from pilvi.network.subnetpools import policy, service
from pilvi.network.subnetpools.model import SubnetPool
from pilvi.network.subnetpools.wire import SubnetPoolCreate, SubnetPoolUpdate, SubnetPoolView

routes = Routes("network", "/v2.0/subnetpools")


@routes.get(rule=policy.SHOW, view=SubnetPoolView)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[SubnetPool]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=SubnetPoolView)
def show(ctx: Context, tx: Tx, id: str) -> SubnetPool:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=SubnetPoolCreate, view=SubnetPoolView, status=201)
def create(ctx: Context, tx: Tx, body: SubnetPoolCreate) -> SubnetPool:
    return service.create(ctx, tx, owner(ctx, body), values_of(body))


@routes.put("/{id}", rule=policy.UPDATE, body=SubnetPoolUpdate, view=SubnetPoolView)
def update(ctx: Context, tx: Tx, id: str, body: SubnetPoolUpdate) -> SubnetPool:
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
