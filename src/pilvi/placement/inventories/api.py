"""/resource_providers/{uuid}/inventories."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import MethodNotAllowed
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.inventories import policy, service
from pilvi.placement.inventories.wire import InventoriesReplace, InventoryCreate, InventoryReplace, shown, shown_all
from pilvi.placement.wire import answer, newest

routes = Routes("placement", "/resource_providers/{uuid}/inventories")


@routes.get(rule=policy.LIST)
def list_all(ctx: Context, tx: Tx, uuid: str) -> Answer:
    provider, found = service.list_all(ctx, tx, uuid)
    return answer(ctx, shown_all(found, provider.generation), changed_at=newest([i.updated_at for i in found]))


@routes.post(rule=policy.CREATE, body=InventoryCreate)
def create(ctx: Context, tx: Tx, uuid: str, body: Any) -> Answer:
    ctx.about("resource_provider", uuid)
    generation, inventory = service.create(ctx, tx, uuid, body)
    location = f"/resource_providers/{uuid}/inventories/{inventory.resource_class}"
    return answer(ctx, shown(inventory, generation), status=201, location=location)


@routes.put(rule=policy.UPDATE, body=InventoriesReplace)
def replace_all(ctx: Context, tx: Tx, uuid: str, body: Any) -> Answer:
    ctx.about("resource_provider", uuid)
    wanted, generation = body["inventories"], body["resource_provider_generation"]
    after, found = service.replace_all(ctx, tx, uuid, wanted, generation)
    return answer(ctx, shown_all(found, after))


@routes.delete(rule=policy.DELETE, until="1.4")
def refuse_delete_all(ctx: Context, tx: Tx, uuid: str) -> None:
    policy.DELETE.check(ctx)
    raise MethodNotAllowed("The method DELETE is not allowed for this resource.", headers={"Allow": "GET, POST, PUT"})


@routes.delete(rule=policy.DELETE, since="1.5")
def delete_all(ctx: Context, tx: Tx, uuid: str) -> None:
    ctx.about("resource_provider", uuid)
    service.delete_all(ctx, tx, uuid)


@routes.get("/{resource_class}", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, uuid: str, resource_class: str) -> Answer:
    provider, inventory = service.show(ctx, tx, uuid, resource_class)
    return answer(ctx, shown(inventory, provider.generation), changed_at=inventory.updated_at)


@routes.put("/{resource_class}", rule=policy.UPDATE, body=InventoryReplace)
def replace(ctx: Context, tx: Tx, uuid: str, resource_class: str, body: Any) -> Answer:
    ctx.about("resource_provider", uuid)
    generation, inventory = service.replace(ctx, tx, uuid, resource_class, body)
    return answer(ctx, shown(inventory, generation))


@routes.delete("/{resource_class}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, uuid: str, resource_class: str) -> None:
    ctx.about("resource_provider", uuid)
    service.delete(ctx, tx, uuid, resource_class)
