"""What can be done with inventories. What is used of them changes only by `take` and `give_back`."""

from collections.abc import Mapping
from typing import Any

from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound
from pilvi.placement import deletions
from pilvi.placement.inventories import policy, store
from pilvi.placement.inventories.model import INT_MOST, Inventory, capacity
from pilvi.placement.resource_classes import service as resource_classes
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.resource_providers.model import Provider

DEFAULTS = {"reserved": 0, "min_unit": 1, "max_unit": INT_MOST, "step_size": 1, "allocation_ratio": 1.0}
ALL_RESERVED_SINCE = 26


def build(
    provider_uuid: str,
    resource_class: str,
    given: Mapping[str, Any],
    *,
    all_reserved: bool = True,
    verb: str = "update",
) -> Inventory:
    """An inventory from what a client gave; raises BadRequest when nothing could ever be had of it."""
    values = DEFAULTS | {k: v for k, v in given.items() if k in DEFAULTS or k == "total"}
    total, reserved = values["total"], values["reserved"]
    if reserved > total or (reserved == total and not all_reserved):
        how = "greater than total" if all_reserved else "greater than or equal to total"
        raise BadRequest(
            f"Unable to {verb} inventory for resource provider {provider_uuid}: "
            f"The reserved value is {how} for {resource_class}."
        )
    free = capacity(total, reserved, values["allocation_ratio"])
    return Inventory(provider_uuid, resource_class, used=0, free=free, updated_at=clock.timestamp(), **values)


def of(tx: Tx, provider_uuid: str) -> list[Inventory]:
    return store.of(tx, provider_uuid)


def of_many(tx: Tx, provider_uuids: set[str]) -> list[Inventory]:
    return store.of_many(tx, provider_uuids)


def everything(tx: Tx) -> list[Inventory]:
    return store.everything(tx)


def find(tx: Tx, provider_uuid: str, resource_class: str) -> Inventory | None:
    return store.find(tx, provider_uuid, resource_class)


def take(tx: Tx, provider_uuid: str, resource_class: str, amount: int) -> bool:
    return store.take(tx, provider_uuid, resource_class, amount)


def give_back(tx: Tx, provider_uuid: str, resource_class: str, amount: int) -> None:
    store.give_back(tx, provider_uuid, resource_class, amount)


def providers_that_take(tx: Tx, resources: Mapping[str, int], limit: int | None = None) -> list[str]:
    return store.providers_that_take(tx, resources, limit)


def list_all(ctx: Context, tx: Tx, uuid: str) -> tuple[Provider, list[Inventory]]:
    policy.LIST.check(ctx)
    provider = providers.get(tx, uuid)
    return provider, store.of(tx, provider.uuid)


def show(ctx: Context, tx: Tx, uuid: str, resource_class: str) -> tuple[Provider, Inventory]:
    policy.SHOW.check(ctx)
    provider = providers.get(tx, uuid)
    inventory = store.find(tx, provider.uuid, resource_class)
    if inventory is None:
        raise NotFound(f"No inventory of class {resource_class} for {uuid}")
    return provider, inventory


def _unknown_class(provider: Provider, resource_class: str) -> BadRequest:
    return BadRequest(
        f"Unknown resource class in inventory for resource provider {provider.uuid}: "
        f"No such resource class {resource_class}."
    )


def create(ctx: Context, tx: Tx, uuid: str, given: dict[str, Any]) -> tuple[int, Inventory]:
    policy.CREATE.check(ctx)
    provider = providers.get(tx, uuid)
    resource_class = given["resource_class"]
    all_reserved = ctx.version >= ALL_RESERVED_SINCE
    inventory = build(provider.uuid, resource_class, given, all_reserved=all_reserved, verb="create")
    if not resource_classes.exists(tx, resource_class):
        raise _unknown_class(provider, resource_class)
    if store.find(tx, provider.uuid, resource_class) is not None:
        raise Conflict(
            f"Unable to create inventory for resource provider {provider.uuid}: "
            f"Update conflict: there is an inventory of class {resource_class} already."
        )
    generation = providers.advance(tx, provider, given.get("resource_provider_generation"))
    store.add(tx, inventory)
    return generation, inventory


def replace(ctx: Context, tx: Tx, uuid: str, resource_class: str, given: dict[str, Any]) -> tuple[int, Inventory]:
    policy.UPDATE.check(ctx)
    provider = providers.get(tx, uuid)
    check_generation(provider, given["resource_provider_generation"])
    inventory = build(provider.uuid, resource_class, given, all_reserved=ctx.version >= ALL_RESERVED_SINCE)
    if not resource_classes.exists(tx, resource_class) or store.find(tx, provider.uuid, resource_class) is None:
        raise BadRequest(f"No inventory record with resource class {resource_class} for provider {provider.uuid}")
    generation = providers.advance(tx, provider, given["resource_provider_generation"])
    store.change(tx, inventory)
    return generation, inventory


def check_generation(provider: Provider, given: int) -> None:
    if given != provider.generation:
        raise Conflict(
            f"resource provider generation conflict for resource provider {provider.uuid}: "
            f"actual: {provider.generation}, given: {given}",
            type=providers.CONCURRENT,
        )


def replace_all(ctx: Context, tx: Tx, uuid: str, given: dict[str, Any], generation: int) -> tuple[int, list[Inventory]]:
    policy.UPDATE.check(ctx)
    provider = providers.get(tx, uuid)
    check_generation(provider, generation)
    wanted = [
        build(provider.uuid, name, values, all_reserved=ctx.version >= ALL_RESERVED_SINCE)
        for name, values in given.items()
    ]
    return set_all(tx, provider, wanted, generation), store.of(tx, provider.uuid)


def set_all(tx: Tx, provider: Provider, wanted: list[Inventory], generation: int | None = None) -> int:
    """The provider has exactly these from now on; what is used of those that stay, stays."""
    for inventory in wanted:
        if not resource_classes.exists(tx, inventory.resource_class):
            raise _unknown_class(provider, inventory.resource_class)
    after = providers.advance(tx, provider, generation)
    keep_only(tx, provider, {i.resource_class for i in wanted})
    put(tx, provider, wanted)
    return after


def put(tx: Tx, provider: Provider, wanted: list[Inventory]) -> None:
    """Add these or change them; others stay. The caller counts the generation."""
    for inventory in wanted:
        if not resource_classes.exists(tx, inventory.resource_class):
            raise _unknown_class(provider, inventory.resource_class)
    present = {i.resource_class for i in store.of(tx, provider.uuid)}
    for inventory in wanted:
        if inventory.resource_class in present:
            store.change(tx, inventory)
        else:
            store.add(tx, inventory)


def keep_only(tx: Tx, provider: Provider, classes: set[str]) -> None:
    """Others go; raises Conflict when something is used of them."""
    _remove(tx, provider, [i.resource_class for i in store.of(tx, provider.uuid) if i.resource_class not in classes])


def _remove(tx: Tx, provider: Provider, classes: list[str]) -> None:
    used = [name for name in resource_classes.in_order(classes) if not store.delete(tx, provider.uuid, name)]
    if used:
        raise Conflict(
            f"Unable to update inventory for resource provider {provider.uuid}: "
            f"Inventory for '{', '.join(used)}' on resource provider '{provider.uuid}' in use.",
            type="placement.inventory.inuse",
        )


def delete(ctx: Context, tx: Tx, uuid: str, resource_class: str) -> None:
    policy.DELETE.check(ctx)
    provider = providers.get(tx, uuid)
    if store.find(tx, provider.uuid, resource_class) is None:
        raise NotFound(f"No inventory of class {resource_class} found for delete")
    providers.advance(tx, provider)
    _remove(tx, provider, [resource_class])


def delete_all(ctx: Context, tx: Tx, uuid: str) -> None:
    policy.DELETE.check(ctx)
    provider = providers.get(tx, uuid)
    providers.advance(tx, provider)
    _remove(tx, provider, [i.resource_class for i in store.of(tx, provider.uuid)])


@deletions.provider
def _release_provider(tx: Tx, uuid: str) -> None:
    if not all(store.delete(tx, uuid, inventory.resource_class) for inventory in store.of(tx, uuid)):
        raise Conflict(
            f"Unable to delete resource provider {uuid}: Resource provider has allocations.",
            type="placement.resource_provider.inuse",
        )


@resource_classes.in_use
def _has_class(tx: Tx, resource_class: str) -> bool:
    return store.has_class(tx, resource_class)
