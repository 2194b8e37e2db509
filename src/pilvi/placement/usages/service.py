"""Sums over the books."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.placement.allocations import service as allocations
from pilvi.placement.allocations.model import UNKNOWN_TYPE
from pilvi.placement.inventories import service as inventories
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.resource_providers.model import Provider
from pilvi.placement.usages import policy

ALL = "all"


def of_provider(ctx: Context, tx: Tx, uuid: str) -> tuple[Provider, dict[str, int]]:
    policy.OF_PROVIDER.check(ctx)
    provider = providers.get(tx, uuid)
    return provider, {i.resource_class: i.used for i in inventories.of(tx, provider.uuid)}


def of_project(
    ctx: Context, tx: Tx, project_id: str, user_id: str | None, *, by_type: bool, only: str | None
) -> dict[str, Any]:
    """Per class; from 1.38 (`by_type`) per type of consumer and class, with the number of consumers."""
    policy.OF_PROJECT.check(ctx, project_id=project_id)
    sums = {kind or UNKNOWN_TYPE: amounts for kind, amounts in allocations.sums(tx, project_id, user_id).items()}
    if by_type and only != ALL:
        return {kind: amounts for kind, amounts in sums.items() if only in (None, kind)}
    total: dict[str, int] = {}
    for amounts in sums.values():
        for name, amount in amounts.items():
            total[name] = total.get(name, 0) + amount
    if by_type:
        return {ALL: total} if total else {}
    total.pop("consumer_count", None)
    return total
