"""/resource_providers."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.provider_lists import service as provider_lists
from pilvi.placement.resource_providers import policy, service
from pilvi.placement.resource_providers.model import CREATED_WITH_BODY_SINCE
from pilvi.placement.resource_providers.wire import ProviderCreate, ProviderUpdate, shown
from pilvi.placement.wire import answer, newest

routes = Routes("placement", "/resource_providers")
MOVES_SINCE = 37


@routes.get(rule=policy.LIST)
def list_all(ctx: Context, tx: Tx, query: Query) -> Answer:
    policy.LIST.check(ctx)
    found = provider_lists.search(ctx, tx, query)
    body = {"resource_providers": [shown(provider, ctx) for provider in found]}
    return answer(ctx, body, changed_at=newest([p.updated_at for p in found]))


@routes.post(rule=policy.CREATE, body=ProviderCreate)
def create(ctx: Context, tx: Tx, body: Any) -> Answer:
    provider = service.create(ctx, tx, body["name"], body.get("uuid"), body.get("parent_provider_uuid"))
    ctx.about("resource_provider", provider.uuid, provider.name)
    location = f"/resource_providers/{provider.uuid}"
    if ctx.version < CREATED_WITH_BODY_SINCE:
        return Answer(201, None, {"Location": ctx.base_url + location}, content_type="")
    return answer(ctx, shown(provider, ctx), changed_at=provider.updated_at, location=location)


@routes.get("/{uuid}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, uuid: str) -> Answer:
    provider = service.show(ctx, tx, uuid)
    return answer(ctx, shown(provider, ctx), changed_at=provider.updated_at)


@routes.put("/{uuid}", rule=policy.UPDATE, body=ProviderUpdate)
def update(ctx: Context, tx: Tx, uuid: str, body: Any) -> Answer:
    parent = body.get("parent_provider_uuid", service.KEEP)
    provider = service.update(ctx, tx, uuid, body["name"], parent, may_move=ctx.version >= MOVES_SINCE)
    ctx.about("resource_provider", uuid, provider.name)
    return answer(ctx, shown(provider, ctx), changed_at=provider.updated_at)


@routes.delete("/{uuid}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, uuid: str) -> None:
    ctx.about("resource_provider", uuid)
    service.delete(ctx, tx, uuid)
