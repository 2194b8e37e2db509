"""Moves what providers have and what consumers hold of them in one step, so that nothing is ever held twice or lost."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound
from pilvi.placement.allocations import service as allocations
from pilvi.placement.allocations.model import Wish
from pilvi.placement.inventories import service as inventories
from pilvi.placement.inventories.model import Inventory
from pilvi.placement.reshaper import policy
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.resource_providers.model import Provider


def reshape(ctx: Context, tx: Tx, given: dict[str, Any], wishes: list[tuple[Wish, int | None]]) -> None:
    """First everything that comes, then who holds what, then everything that goes: only that must not be in use."""
    policy.RESHAPE.check(ctx)
    wanted: list[tuple[Provider, list[Inventory]]] = []
    for uuid, entry in given.items():
        provider = _provider(tx, uuid)
        found = [inventories.build(provider.uuid, name, values) for name, values in entry["inventories"].items()]
        providers.advance(tx, provider, entry["resource_provider_generation"])
        wanted.append((provider, found))
        inventories.put(tx, provider, found)
    allocations.write_many(tx, wishes)
    for provider, found in wanted:
        inventories.keep_only(tx, provider, {i.resource_class for i in found})
        providers.touch(tx, provider.uuid)


def _provider(tx: Tx, uuid: str) -> Provider:
    try:
        return providers.get(tx, uuid)
    except NotFound as fault:
        raise BadRequest(f"{fault.message}: nothing was moved.", type=fault.type) from None
