"""/services."""

from pilvi.identity.services import policy, service
from pilvi.identity.services.model import Service
from pilvi.identity.services.wire import ServiceCreate, ServiceUpdate, ServiceView
from pilvi.identity.wire import changes_of, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/services")


@routes.get(rule=policy.LIST, view=ServiceView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Service]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=ServiceCreate, view=ServiceView, status=201)
def create(ctx: Context, tx: Tx, body: ServiceCreate) -> Service:
    new = Service("", body.type, body.name, body.description or "", body.enabled, extra_of(body))
    created = service.create(ctx, tx, new)
    ctx.about("service", created.id, created.name)
    return created


@routes.get("/{id}", rule=policy.SHOW, view=ServiceView)
def show(ctx: Context, tx: Tx, id: str) -> Service:
    return service.show(ctx, tx, id)


@routes.patch("/{id}", rule=policy.UPDATE, body=ServiceUpdate, view=ServiceView)
def update(ctx: Context, tx: Tx, id: str, body: ServiceUpdate) -> Service:
    ctx.about("service", id)
    return service.update(ctx, tx, id, changes_of(body))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("service", id)
    service.delete(ctx, tx, id)
