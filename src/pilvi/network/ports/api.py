"""/ports."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.ports import policy, service
from pilvi.network.ports.model import Port
from pilvi.network.ports.wire import PortCreate, PortUpdate, PortView
from pilvi.network.standard.service import owner, values_of

routes = Routes("network", "/v2.0/ports")


@routes.get(rule=policy.SHOW, view=PortView)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[Port]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=PortView)
def show(ctx: Context, tx: Tx, id: str) -> Port:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=PortCreate, view=PortView, status=201)
def create(ctx: Context, tx: Tx, body: PortCreate) -> Port:
    return service.create(ctx, tx, owner(ctx, body), values_of(body), given=body.given)


@routes.put("/{id}", rule=policy.UPDATE, body=PortUpdate, view=PortView)
def update(ctx: Context, tx: Tx, id: str, body: PortUpdate) -> Port:
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
