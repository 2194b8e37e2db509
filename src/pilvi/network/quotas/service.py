"""Limits and use. Use is counted from the resources themselves, in the transaction that asks."""

from collections.abc import Callable, Mapping
from typing import Any

from pilvi.kernel import quotas
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.network import settings
from pilvi.network.quotas import policy
from pilvi.network.quotas.model import DEFAULTS, exceeded

usage: dict[str, Callable[[Tx, str], int]] = {}
"""Who counts: every room puts its function here, so that this room need not know them."""


def limits_of(tx: Tx, project_id: str) -> dict[str, int]:
    configured = {name: settings.current.quotas.get(name, value) for name, value in DEFAULTS.items()}
    return quotas.of(tx, "network", project_id, configured)


def reserve(tx: Tx, project_id: str, resource: str, amount: int = 1) -> None:
    """Refuse what would exceed the limit; from here to the commit nobody else of the project counts."""
    limit = limits_of(tx, project_id)[resource]
    if limit < 0:
        return
    tx.lock("network quota", project_id, resource)
    if usage[resource](tx, project_id) + amount > limit:
        raise exceeded(resource)


def left(tx: Tx, project_id: str, resource: str) -> int | None:
    """How many more there may be; None without a limit."""
    limit = limits_of(tx, project_id)[resource]
    return None if limit < 0 else max(0, limit - usage[resource](tx, project_id))


def list_(ctx: Context, tx: Tx) -> list[dict[str, Any]]:
    policy.LIST.check(ctx)
    return [limits_of(tx, id) | {"project_id": id, "tenant_id": id} for id in quotas.projects(tx, "network")]


def show(ctx: Context, tx: Tx, project_id: str) -> dict[str, int]:
    policy.SHOW.check(ctx, project_id=project_id)
    return limits_of(tx, project_id)


def defaults(ctx: Context, tx: Tx, project_id: str) -> dict[str, int]:
    policy.SHOW.check(ctx, project_id=project_id)
    return limits_of(tx, quotas.DEFAULTS)


def details(ctx: Context, tx: Tx, project_id: str) -> dict[str, dict[str, int]]:
    policy.SHOW.check(ctx, project_id=project_id)
    limits = limits_of(tx, project_id)
    used = {name: usage[name](tx, project_id) if name in usage else 0 for name in limits}
    return {name: {"limit": limits[name], "used": used[name], "reserved": 0} for name in limits}


def update(
    ctx: Context, tx: Tx, project_id: str, values: Mapping[str, int], *, check_limit: bool = False
) -> dict[str, int]:
    policy.UPDATE.check(ctx, project_id=project_id)
    for name, value in values.items():
        used = usage[name](tx, project_id) if check_limit and name in usage else 0
        if 0 <= value < used:
            raise BadRequest(
                f"Quota limit {value} for {name} is below the {used} in use; delete some or ask without check_limit.",
                type="InvalidQuotaValue",
            )
    quotas.put(tx, "network", project_id, values)
    ctx.about("quota", project_id)
    return limits_of(tx, project_id)


def reset(ctx: Context, tx: Tx, project_id: str) -> None:
    policy.DELETE.check(ctx, project_id=project_id)
    quotas.reset(tx, "network", project_id)
    ctx.about("quota", project_id)
