"""/endpoints."""

from pilvi.identity.endpoints import policy, service
from pilvi.identity.endpoints.model import Endpoint
from pilvi.identity.endpoints.wire import EndpointCreate, EndpointUpdate, EndpointView
from pilvi.identity.wire import changes_of, extra_of
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/endpoints")


@routes.get(rule=policy.LIST, view=EndpointView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Endpoint]:
    return service.list_all(ctx, tx, query)


@routes.post(rule=policy.CREATE, body=EndpointCreate, view=EndpointView, status=201)
def create(ctx: Context, tx: Tx, body: EndpointCreate) -> Endpoint:
    new = Endpoint("", body.interface, body.url, body.service_id, body.region_id, body.enabled, extra_of(body))
    created = service.create(ctx, tx, new, body.region)
    ctx.about("endpoint", created.id)
    return created


@routes.get("/{id}", rule=policy.SHOW, view=EndpointView)
def show(ctx: Context, tx: Tx, id: str) -> Endpoint:
    return service.show(ctx, tx, id)


@routes.patch("/{id}", rule=policy.UPDATE, body=EndpointUpdate, view=EndpointView)
def update(ctx: Context, tx: Tx, id: str, body: EndpointUpdate) -> Endpoint:
    ctx.about("endpoint", id)
    return service.update(ctx, tx, id, changes_of(body))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("endpoint", id)
    service.delete(ctx, tx, id)
