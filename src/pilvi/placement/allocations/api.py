"""/allocations and /resource_providers/{uuid}/allocations."""

from typing import Any

from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.allocations import policy, service
from pilvi.placement.allocations.wire import AllocationsPost, AllocationsPut, of_consumer, of_provider, wish
from pilvi.placement.wire import answer, newest

routes = Routes("placement")


@routes.get("/allocations/{consumer_uuid}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, consumer_uuid: str) -> Answer:
    held, consumer, generations = service.show(ctx, tx, consumer_uuid)
    body = of_consumer(ctx, held, consumer, generations)
    return answer(ctx, body, changed_at=newest([a.updated_at for a in held]))


@routes.put("/allocations/{consumer_uuid}", rule=policy.UPDATE, body=AllocationsPut, status=204)
def put(ctx: Context, tx: Tx, consumer_uuid: str, body: Any) -> None:
    if not ids.is_uuid(consumer_uuid):
        raise BadRequest(f"Malformed consumer_uuid: {consumer_uuid[:64]}")
    ctx.about("consumer", consumer_uuid)
    service.put(ctx, tx, wish(consumer_uuid, body), body.get("consumer_generation", service.ANY))


@routes.post("/allocations", rule=policy.MANAGE, since="1.13", body=AllocationsPost, status=204)
def put_many(ctx: Context, tx: Tx, body: Any) -> None:
    wishes = [(wish(uuid, one), one.get("consumer_generation", service.ANY)) for uuid, one in body.items()]
    ctx.about("consumer", wishes[0][0].consumer_uuid)
    service.put_many(ctx, tx, wishes)


@routes.delete("/allocations/{consumer_uuid}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, consumer_uuid: str) -> None:
    ctx.about("consumer", consumer_uuid[:64])
    service.delete(ctx, tx, consumer_uuid)


@routes.get("/resource_providers/{uuid}/allocations", rule=policy.OF_PROVIDER)
def list_of_provider(ctx: Context, tx: Tx, uuid: str) -> Answer:
    provider, held, consumers = service.of_provider(ctx, tx, uuid)
    body = of_provider(ctx, held, consumers, provider.generation)
    return answer(ctx, body, changed_at=newest([a.updated_at for a in held]))
