"""/floatingips."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes
from pilvi.network.floating_ips import policy, service
from pilvi.network.floating_ips.model import FloatingIp
from pilvi.network.floating_ips.wire import FloatingIpCreate, FloatingIpUpdate, FloatingIpView
from pilvi.network.standard.service import owner, values_of

routes = Routes("network", "/v2.0/floatingips")


@routes.get(rule=policy.SHOW, view=FloatingIpView)
def list_(ctx: Context, tx: Tx, query: Query) -> Page[FloatingIp]:
    return service.list_(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=FloatingIpView)
def show(ctx: Context, tx: Tx, id: str) -> FloatingIp:
    return service.show(ctx, tx, id)


@routes.post(rule=policy.CREATE, body=FloatingIpCreate, view=FloatingIpView, status=201)
def create(ctx: Context, tx: Tx, body: FloatingIpCreate) -> FloatingIp:
    return service.create(ctx, tx, owner(ctx, body), values_of(body))


@routes.put("/{id}", rule=policy.UPDATE, body=FloatingIpUpdate, view=FloatingIpView)
def update(ctx: Context, tx: Tx, id: str, body: FloatingIpUpdate) -> FloatingIp:
    return service.update(ctx, tx, id, body.sent())


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    service.delete(ctx, tx, id)
