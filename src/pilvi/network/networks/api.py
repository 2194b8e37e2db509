"""/networks."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.networks import policy, service
from pilvi.network.networks.model import Network
from pilvi.network.networks.wire import NetworkCreate, NetworkUpdate, NetworkView
from pilvi.network.standard.service import owner, values_of

routes = Routes("network", "/v2.0/networks")


@routes.get(rule=policy.SHOW, view=NetworkView)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[Network]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=NetworkView)
def show(ctx: Context, tx: Tx, id: str) -> Network:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=NetworkCreate, view=NetworkView, status=201)
def create(ctx: Context, tx: Tx, body: NetworkCreate) -> Network:
    return service.create(ctx, tx, owner(ctx, body), values_of(body))


@routes.put("/{id}", rule=policy.UPDATE, body=NetworkUpdate, view=NetworkView)
def update(ctx: Context, tx: Tx, id: str, body: NetworkUpdate) -> Network:
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
