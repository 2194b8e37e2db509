"""/OS-FEDERATION/identity_providers and their protocols. PUT creates."""

from pilvi.identity.identity_providers import policy, service
from pilvi.identity.identity_providers.model import IdentityProvider, Protocol
from pilvi.identity.identity_providers.wire import (
    ProtocolView,
    ProtocolWrite,
    ProviderCreate,
    ProviderUpdate,
    ProviderView,
)
from pilvi.identity.wire import check_id, sent_with_id
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Routes

routes = Routes("identity", "/v3/OS-FEDERATION/identity_providers")


@routes.get(rule=policy.LIST, view=ProviderView)
def list_all(ctx: Context, tx: Tx, query: Query) -> Page[IdentityProvider]:
    return service.list_all(ctx, tx, query)


@routes.get("/{id}", rule=policy.SHOW, view=ProviderView)
def show(ctx: Context, tx: Tx, id: str) -> IdentityProvider:
    return service.show(ctx, tx, id)


@routes.put("/{id}", rule=policy.CREATE, body=ProviderCreate, view=ProviderView, status=201)
def create(ctx: Context, tx: Tx, id: str, body: ProviderCreate) -> IdentityProvider:
    check_id(id)
    sent_with_id(body, id)
    ctx.about("identity_provider", id)
    provider = IdentityProvider(
        id, body.domain_id or "", body.enabled, body.description, body.authorization_ttl, body.remote_ids or []
    )
    return service.create(ctx, tx, provider)


@routes.patch("/{id}", rule=policy.UPDATE, body=ProviderUpdate, view=ProviderView)
def update(ctx: Context, tx: Tx, id: str, body: ProviderUpdate) -> IdentityProvider:
    ctx.about("identity_provider", id)
    return service.update(ctx, tx, id, sent_with_id(body, id))


@routes.delete("/{id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("identity_provider", id)
    service.delete(ctx, tx, id)


@routes.get("/{idp_id}/protocols", rule=policy.LIST_PROTOCOLS, view=ProtocolView)
def protocols_of(ctx: Context, tx: Tx, idp_id: str) -> list[Protocol]:
    return service.protocols_of(ctx, tx, idp_id)


@routes.get("/{idp_id}/protocols/{id}", rule=policy.SHOW_PROTOCOL, view=ProtocolView)
def show_protocol(ctx: Context, tx: Tx, idp_id: str, id: str) -> Protocol:
    return service.show_protocol(ctx, tx, idp_id, id)


@routes.put("/{idp_id}/protocols/{id}", rule=policy.CREATE_PROTOCOL, body=ProtocolWrite, view=ProtocolView, status=201)
def create_protocol(ctx: Context, tx: Tx, idp_id: str, id: str, body: ProtocolWrite) -> Protocol:
    check_id(id)
    sent_with_id(body, id)
    ctx.about("identity_provider", idp_id)
    return service.create_protocol(ctx, tx, Protocol(idp_id, id, body.mapping_id, body.remote_id_attribute))


@routes.patch("/{idp_id}/protocols/{id}", rule=policy.UPDATE_PROTOCOL, body=ProtocolWrite, view=ProtocolView)
def update_protocol(ctx: Context, tx: Tx, idp_id: str, id: str, body: ProtocolWrite) -> Protocol:
    ctx.about("identity_provider", idp_id)
    return service.update_protocol(ctx, tx, idp_id, id, sent_with_id(body, id))


@routes.delete("/{idp_id}/protocols/{id}", rule=policy.DELETE_PROTOCOL)
def delete_protocol(ctx: Context, tx: Tx, idp_id: str, id: str) -> None:
    ctx.about("identity_provider", idp_id)
    service.delete_protocol(ctx, tx, idp_id, id)
