"""Limits and usage. Usage is counted from the servers themselves, in the transaction that asks."""

from collections.abc import Callable, Mapping
from typing import Any

from pilvi.compute.quotas import policy
from pilvi.compute.quotas.model import DEFAULTS, NETWORK
from pilvi.kernel import quotas
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest

usage: list[Callable[[Tx, str], dict[str, int]]] = []
"""Who counts: the servers put their function here, so that this room need not know them."""


def limits_of(tx: Tx, project_id: str) -> dict[str, int]:
    return quotas.of(tx, "compute", project_id, DEFAULTS | NETWORK)


def used_by(tx: Tx, project_id: str) -> dict[str, int]:
    used = dict.fromkeys(DEFAULTS | NETWORK, 0)
    for count in usage:
        used |= count(tx, project_id)
    return used


def show(ctx: Context, tx: Tx, project_id: str) -> dict[str, int]:
    policy.SHOW.check(ctx, project_id=project_id)
    return limits_of(tx, project_id)


def defaults(ctx: Context, tx: Tx, project_id: str) -> dict[str, int]:
    policy.DEFAULTS.check(ctx, project_id=project_id)
    return limits_of(tx, quotas.DEFAULTS)


def detail(ctx: Context, tx: Tx, project_id: str) -> dict[str, dict[str, int]]:
    policy.DETAIL.check(ctx, project_id=project_id)
    limits, used = limits_of(tx, project_id), used_by(tx, project_id)
    return {name: {"limit": limits[name], "in_use": used[name], "reserved": 0} for name in limits}


def update(ctx: Context, tx: Tx, project_id: str, values: Mapping[str, int], *, force: bool) -> dict[str, int]:
    policy.UPDATE.check(ctx, project_id=project_id)
    used = used_by(tx, project_id)
    known = {name: value for name, value in values.items() if name in used}
    for name, value in known.items():
        if not force and 0 <= value < used[name]:
            raise BadRequest(
                f"Quota limit {value} for {name} must be greater than or equal to already used {used[name]}; "
                "use force to set it all the same."
            )
    quotas.put(tx, "compute", project_id, known)
    ctx.about("quota_set", project_id)
    return limits_of(tx, project_id)


def reset(ctx: Context, tx: Tx, project_id: str) -> None:
    policy.DELETE.check(ctx, project_id=project_id)
    quotas.reset(tx, "compute", project_id)
    ctx.about("quota_set", project_id)


def class_limits(ctx: Context, tx: Tx) -> dict[str, int]:
    policy.CLASS_SHOW.check(ctx)
    return limits_of(tx, quotas.DEFAULTS)


def update_class(ctx: Context, tx: Tx, values: Mapping[str, int]) -> dict[str, int]:
    policy.CLASS_UPDATE.check(ctx)
    quotas.put(tx, "compute", quotas.DEFAULTS, {n: v for n, v in values.items() if n in DEFAULTS | NETWORK})
    ctx.about("quota_set", quotas.DEFAULTS)
    return limits_of(tx, quotas.DEFAULTS)


def limits_and_usage(ctx: Context, tx: Tx, project_id: str | None) -> tuple[dict[str, int], dict[str, Any]]:
    target = project_id or ctx.project_id
    policy.LIMITS.check(ctx, project_id=target)
    if target != ctx.project_id:
        policy.OTHER_LIMITS.check(ctx, project_id=target)
    return limits_of(tx, target), used_by(tx, target)
