"""/resource_providers/{uuid}/aggregates."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.aggregates import policy, service
from pilvi.placement.aggregates.wire import AGGREGATES, GENERATION_SINCE
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.wire import answer

routes = Routes("placement", "/resource_providers/{uuid}/aggregates")


def _shown(ctx: Context, generation: int, uuids: list[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"aggregates": uuids}
    if ctx.version >= GENERATION_SINCE:
        shown["resource_provider_generation"] = generation
    return shown


@routes.get(rule=policy.LIST, since="1.1")
def list_all(ctx: Context, tx: Tx, uuid: str) -> Answer:
    provider, uuids = service.list_all(ctx, tx, uuid)
    return answer(ctx, _shown(ctx, provider.generation, uuids), changed_at=provider.updated_at)


@routes.put(rule=policy.UPDATE, since="1.1", raw=True, shape=AGGREGATES.at)
def put(ctx: Context, tx: Tx, uuid: str, body: Any) -> Answer:
    ctx.about("resource_provider", uuid)
    policy.UPDATE.check(ctx)
    providers.get(tx, uuid)
    AGGREGATES.check(body, ctx.version)
    wanted, generation = body, None
    if ctx.version >= GENERATION_SINCE:
        wanted, generation = body["aggregates"], body["resource_provider_generation"]
    after, uuids = service.put(ctx, tx, uuid, wanted, generation)
    return answer(ctx, _shown(ctx, after, uuids))
