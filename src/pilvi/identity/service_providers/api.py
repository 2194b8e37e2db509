"""/OS-FEDERATION/service_providers. PUT creates."""

from pilvi.identity.service_providers import policy, service
from pilvi.identity.service_providers.model import ServiceProvider
from pilvi.identity.service_providers.wire import ServiceProviderCreate, ServiceProviderUpdate, ServiceProviderView
from pilvi.identity.wire import check_id, sent_with_id
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/OS-FEDERATION/service_providers")


@routes.get(rule=policy.LIST, view=ServiceProviderView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[ServiceProvider]:
    return service.list_all(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=ServiceProviderView)
def show(ctx: Context, tx: Tx, id: str) -> ServiceProvider:
    return service.show(ctx, tx, id)


@routes.put("/{id}", rule=policy.CREATE, body=ServiceProviderCreate, view=ServiceProviderView, status=201)
def create(ctx: Context, tx: Tx, id: str, body: ServiceProviderCreate) -> ServiceProvider:
    check_id(id)
    sent_with_id(body, id)
    ctx.about("service_provider", id)
    made = ServiceProvider(id, body.auth_url, body.sp_url, body.enabled, body.description, body.relay_state_prefix)
    return service.create(ctx, tx, made)


@routes.patch("/{id}", rule=policy.UPDATE, body=ServiceProviderUpdate, view=ServiceProviderView)
def update(ctx: Context, tx: Tx, id: str, body: ServiceProviderUpdate) -> ServiceProvider:
    ctx.about("service_provider", id)
    return service.update(ctx, tx, id, sent_with_id(body, id))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("service_provider", id)
    service.delete(ctx, tx, id)
