"""What compute asks of placement, in its own transaction. Its claims are ordinary allocations."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pilvi.kernel.db import Tx
from pilvi.placement.aggregates import service as memberships
from pilvi.placement.allocations import service as allocations
from pilvi.placement.allocations.model import Amounts, Wish
from pilvi.placement.inventories import service as stock
from pilvi.placement.inventories.model import INT_MOST
from pilvi.placement.inventories.model import Inventory as Stock
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.traits import service as abilities


@dataclass(frozen=True, slots=True)
class Inventory:
    """How much of one class a provider has."""

    total: int
    reserved: int = 0
    min_unit: int = 1
    max_unit: int = INT_MOST
    step_size: int = 1
    allocation_ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class ProviderSnapshot:
    """A provider as the scheduler sees it."""

    uuid: str
    name: str
    parent_uuid: str | None
    root_uuid: str
    inventories: Mapping[str, Stock]
    """By class, with total, reserved, allocation_ratio, used, free, min_unit, max_unit and step_size."""
    traits: frozenset[str]
    aggregates: frozenset[str]


def ensure_provider(
    tx: Tx,
    *,
    name: str,
    uuid: str,
    inventories: Mapping[str, Inventory],
    traits: Iterable[str] = (),
    parent_uuid: str | None = None,
    aggregates: Iterable[str] | None = None,
) -> bool:
    """The provider is there and has exactly these inventories and traits; whether anything had to change.

    Raises Conflict when an inventory that is in use would go.
    """
    provider = providers.find(tx, uuid) or providers.find_named(tx, name)
    is_new = provider is None
    if provider is None:
        provider = providers.add(tx, name, uuid, parent_uuid)
    wanted = [stock.build(provider.uuid, of, asdict(inventory)) for of, inventory in inventories.items()]
    changed = _differs(stock.of(tx, provider.uuid), wanted)
    if changed:
        stock.set_all(tx, provider, wanted)
    changed |= abilities.set_of(tx, provider.uuid, traits)
    if aggregates is not None:
        changed |= memberships.set_of(tx, provider.uuid, aggregates)
    return changed or is_new


_FIELDS = ("resource_class", "total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio")


def _differs(present: list[Stock], wanted: list[Stock]) -> bool:
    def facts(found: list[Stock]) -> set[tuple[Any, ...]]:
        return {tuple(getattr(inventory, name) for name in _FIELDS) for inventory in found}

    return facts(present) != facts(wanted)


def remove_provider(tx: Tx, uuid: str) -> bool:
    """Whether there was one; raises Conflict while somebody holds something of it."""
    return providers.remove(tx, uuid)


def claim(tx: Tx, *, consumer_id: str, project_id: str, user_id: str, consumer_type: str, resources: Amounts) -> None:
    """The consumer holds exactly this from now on: `{provider: {class: amount}}`; raises Conflict when it does not fit.

    The check and the claim are one statement per inventory, so nobody ever gets more than there is. After a Conflict
    everything is as before: the caller may try another provider in the same transaction.
    """
    allocations.write(tx, [Wish(consumer_id, resources, project_id, user_id, consumer_type)])


def claim_many(tx: Tx, wishes: Iterable[Wish]) -> None:
    """Several consumers at once, such as a server and its migration: all or none."""
    allocations.write(tx, list(wishes))


def release(tx: Tx, consumer_id: str) -> bool:
    """The consumer holds nothing any more; whether it held anything."""
    return allocations.release(tx, consumer_id)


def held_by(tx: Tx, consumer_id: str) -> dict[str, dict[str, int]]:
    """Provider → class → amount."""
    found: dict[str, dict[str, int]] = {}
    for allocation in allocations.of_consumer(tx, consumer_id):
        found.setdefault(allocation.provider_uuid, {})[allocation.resource_class] = allocation.used
    return found


def providers_snapshot(tx: Tx) -> list[ProviderSnapshot]:
    """All providers with what they have, can and belong to: four queries, whatever their number."""
    found: dict[str, dict[str, Stock]] = {}
    for inventory in stock.everything(tx):
        found.setdefault(inventory.provider_uuid, {})[inventory.resource_class] = inventory
    can = abilities.of_providers(tx, None)
    belongs = memberships.of_providers(tx, None)
    return [
        ProviderSnapshot(
            p.uuid, p.name, p.parent_uuid, p.root_uuid, found.get(p.uuid, {}),
            frozenset(can.get(p.uuid, ())), frozenset(belongs.get(p.uuid, ())),
        )
        for p in providers.search(tx)
    ]  # fmt: skip
