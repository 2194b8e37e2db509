"""What can be done with the aggregates of a provider."""

from collections.abc import Iterable

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.placement import deletions
from pilvi.placement.aggregates import policy, store
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.resource_providers.model import Provider


def of_providers(tx: Tx, uuids: Iterable[str] | None) -> dict[str, set[str]]:
    """Provider → aggregates, of these providers or of all."""
    found: dict[str, set[str]] = {}
    for uuid, aggregate in store.pairs(tx, uuids):
        found.setdefault(uuid, set()).add(aggregate)
    return found


def list_all(ctx: Context, tx: Tx, uuid: str) -> tuple[Provider, list[str]]:
    policy.LIST.check(ctx)
    provider = providers.get(tx, uuid)
    return provider, store.of(tx, provider.uuid)


def put(ctx: Context, tx: Tx, uuid: str, wanted: list[str], generation: int | None) -> tuple[int, list[str]]:
    """Without a generation (before 1.19) nobody is asked and nothing is counted."""
    policy.UPDATE.check(ctx)
    provider = providers.get(tx, uuid)
    after = provider.generation
    if generation is not None:
        after = providers.advance(tx, provider, generation)
    kept = [a.lower() for a in wanted]
    store.put(tx, provider.uuid, kept)
    return after, kept


def set_of(tx: Tx, uuid: str, wanted: Iterable[str]) -> bool:
    """For services: whether anything had to change."""
    if set(store.of(tx, uuid)) == set(wanted):
        return False
    store.put(tx, uuid, wanted)
    providers.touch(tx, uuid)
    return True


@deletions.provider
def _release_provider(tx: Tx, uuid: str) -> None:
    store.forget_provider(tx, uuid)
