"""Holds the books: who holds how much of what. `write` is the only way to change them, for clients and for compute."""

from collections.abc import Sequence

from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Duplicate, Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound
from pilvi.placement.allocations import policy, store
from pilvi.placement.allocations.model import Allocation, Change, Consumer, Wish, changes
from pilvi.placement.inventories import service as inventories
from pilvi.placement.inventories.model import Inventory
from pilvi.placement.resource_classes import service as resource_classes
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.resource_providers.model import Provider

ANY = -1
"""The caller does not say which generation of the consumer it knows."""
_PROBLEM = "Unable to allocate inventory"


def write(tx: Tx, wishes: Sequence[Wish]) -> None:
    """Each consumer holds what its wish says from now on, all of them or none; raises Conflict when it does not fit."""
    _check_names(tx, wishes)
    before = [held for wish in wishes for held in store.of_consumer(tx, wish.consumer_uuid)]
    _apply_all(tx, changes(before, wishes))
    for wish in wishes:
        _record(tx, wish)
    for uuid in sorted({provider for wish in wishes for provider in wish.amounts}):
        providers.touch(tx, uuid)


def _apply_all(tx: Tx, wanted: dict[tuple[str, str], Change]) -> None:
    """All or none, even for a caller who catches the Conflict and tries elsewhere in the same transaction."""
    done: list[tuple[tuple[str, str], Change]] = []
    try:
        for place, change in wanted.items():
            _apply(tx, *place, change)
            done.append((place, change))
    except Conflict:
        for (provider, resource_class), change in done:
            inventories.give_back(tx, provider, resource_class, change.after - change.before)
        raise


def _check_names(tx: Tx, wishes: Sequence[Wish]) -> None:
    named = {provider for wish in wishes for provider in wish.amounts}
    there = {p.uuid for p in providers.find_many(tx, named)}
    for uuid in sorted(named - there):
        raise BadRequest(
            f"Allocation for resource provider '{uuid}' that does not exist.",
            type="placement.resource_provider.not_found",
        )
    classes = {name for wish in wishes for amounts in wish.amounts.values() for name in amounts}
    for name in resource_classes.unknown(tx, classes):
        raise BadRequest(f"{_PROBLEM} for consumer: No such resource class {name}.")


def _apply(tx: Tx, provider: str, resource_class: str, change: Change) -> None:
    """One inventory: its units are checked on what was read, its room in the very statement that takes it."""
    if change.amounts:
        inventory = inventories.find(tx, provider, resource_class)
        for amount in change.amounts:
            _check_units(inventory, provider, resource_class, amount)
    grows = change.after - change.before
    if grows > 0:
        if not inventories.take(tx, provider, resource_class, grows):
            raise Conflict(
                f"{_PROBLEM}: Unable to create allocation for '{resource_class}' on resource provider '{provider}'. "
                "The requested amount would exceed the capacity."
            )
    elif grows < 0:
        inventories.give_back(tx, provider, resource_class, -grows)
    elif change.after and (found := inventories.find(tx, provider, resource_class)) and found.free < 0:
        raise Conflict(
            f"{_PROBLEM}: '{resource_class}' on resource provider '{provider}' is overcommitted. "
            "The requested amount would exceed the capacity."
        )


def _check_units(inventory: Inventory | None, provider: str, resource_class: str, amount: int) -> None:
    if inventory is None:
        raise Conflict(f"{_PROBLEM}: Inventory for '{resource_class}' on resource provider '{provider}' invalid.")
    if not inventory.min_unit <= amount <= inventory.max_unit or amount % inventory.step_size:
        raise Conflict(
            f"{_PROBLEM}: Unable to create allocation for '{resource_class}' on resource provider '{provider}'. "
            f"The requested amount {amount} would violate inventory constraints: between {inventory.min_unit} and "
            f"{inventory.max_unit}, in steps of {inventory.step_size}."
        )


def _record(tx: Tx, wish: Wish) -> None:
    """The books of one consumer. One that holds nothing is gone."""
    now = clock.timestamp()
    held = [
        Allocation(wish.consumer_uuid, provider, resource_class, amount, now)
        for provider, amounts in wish.amounts.items()
        for resource_class, amount in amounts.items()
        if amount
    ]
    consumer = store.find_consumer(tx, wish.consumer_uuid)
    if not held:
        store.put(tx, wish.consumer_uuid, ())
        store.delete_consumer(tx, wish.consumer_uuid)
        return
    if consumer is None:
        _add_consumer(tx, Consumer(wish.consumer_uuid, 1, wish.project_id, wish.user_id, wish.consumer_type, now, now))
    else:
        _advance_consumer(tx, consumer, wish)
    store.put(tx, wish.consumer_uuid, held)


def _add_consumer(tx: Tx, consumer: Consumer) -> None:
    try:
        store.add_consumer(tx, consumer)
    except Duplicate:
        raise Conflict(f"consumer generation conflict - {consumer.uuid} was created meanwhile.", type=_STALE) from None


def _advance_consumer(tx: Tx, consumer: Consumer, wish: Wish) -> None:
    owner = {} if wish.keeps_owner else {"project_id": wish.project_id, "user_id": wish.user_id}
    if wish.consumer_type is not None:
        owner["consumer_type"] = wish.consumer_type
    if not store.advance_consumer(tx, consumer, **owner):
        raise Conflict(f"consumer generation conflict - {consumer.uuid} was changed meanwhile.", type=_STALE)


_STALE = "placement.concurrent_update"


def _check_generation(tx: Tx, uuid: str, given: int | None) -> None:
    """What the client believes about the consumer must be so; null means that it is new."""
    if given == ANY:
        return
    consumer = store.find_consumer(tx, uuid)
    actual = consumer.generation if consumer is not None else None
    if actual != given:
        said = ["null" if value is None else str(value) for value in (actual, given)]
        raise Conflict(f"consumer generation conflict - expected {said[0]} but got {said[1]}", type=_STALE)


def put(ctx: Context, tx: Tx, wish: Wish, generation: int | None) -> None:
    policy.UPDATE.check(ctx)
    _check_generation(tx, wish.consumer_uuid, generation)
    write(tx, [wish])


def put_many(ctx: Context, tx: Tx, wishes: list[tuple[Wish, int | None]]) -> None:
    policy.MANAGE.check(ctx)
    write_many(tx, wishes)


def write_many(tx: Tx, wishes: list[tuple[Wish, int | None]]) -> None:
    for wish, generation in wishes:
        _check_generation(tx, wish.consumer_uuid, generation)
    write(tx, [wish for wish, _ in wishes])


def delete(ctx: Context, tx: Tx, uuid: str) -> None:
    policy.DELETE.check(ctx)
    if not release(tx, uuid.lower()):
        raise NotFound(f"No allocations for consumer '{uuid}'")


def release(tx: Tx, uuid: str) -> bool:
    """Give everything back; whether there was anything. Nothing here counts as a change of the providers."""
    held = store.of_consumer(tx, uuid)
    for allocation in held:
        inventories.give_back(tx, allocation.provider_uuid, allocation.resource_class, allocation.used)
    store.put(tx, uuid, ())
    store.delete_consumer(tx, uuid)
    return bool(held)


# ---- reading -----------------------------------------------------------------------------------------------------


def show(ctx: Context, tx: Tx, uuid: str) -> tuple[list[Allocation], Consumer | None, dict[str, int]]:
    """What a consumer holds, the consumer, and the generations of the providers."""
    policy.SHOW.check(ctx)
    held = store.of_consumer(tx, uuid.lower())
    places = providers.find_many(tx, {a.provider_uuid for a in held})
    return held, store.find_consumer(tx, uuid.lower()), {p.uuid: p.generation for p in places}


def of_consumer(tx: Tx, uuid: str) -> list[Allocation]:
    return store.of_consumer(tx, uuid)


def of_provider(ctx: Context, tx: Tx, uuid: str) -> tuple[Provider, list[Allocation], dict[str, Consumer]]:
    policy.OF_PROVIDER.check(ctx)
    provider = providers.get(tx, uuid)
    held = store.of_provider(tx, provider.uuid)
    consumers = store.find_consumers(tx, {a.consumer_uuid for a in held}) if held else []
    return provider, held, {c.uuid: c for c in consumers}


def sums(tx: Tx, project_id: str, user_id: str | None) -> dict[str | None, dict[str, int]]:
    """Type of consumer → class → amount in a project; `consumer_count` among them."""
    found: dict[str | None, dict[str, int]] = {}
    for row in store.counts(tx, project_id, user_id):
        found[row.consumer_type] = {"consumer_count": int(row.count)}
    for row in store.sums(tx, project_id, user_id):
        found[row.consumer_type][row.resource_class] = int(row.used)
    return found
