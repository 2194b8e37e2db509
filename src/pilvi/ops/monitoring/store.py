"""What one look into the database tells of the whole cloud, and the table of the built-in store."""

from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Json, Row, Tx, metadata
from pilvi.kernel.hosts import hosts
from pilvi.kernel.work import work

servers = sa.table("compute_servers", *map(sa.column, ("vm_state", "task_state", "task_since")))
providers = sa.table("placement_providers", *map(sa.column, ("uuid", "name")))
inventories = sa.table(
    "placement_inventories",
    *map(sa.column, ("provider_uuid", "resource_class", "total", "reserved", "allocation_ratio", "used")),
)
"""Of other services, read by name as the auditor does (docs/decisions/0033)."""

verdicts = sa.table("ops_audit_verdicts", *map(sa.column, ("name", "checked_at", "objects", "violations", "took_ms")))
"""The auditor's room imports half of the house to prove its invariants; `live` wants to stay small."""

LIGHT = (servers, providers, inventories, verdicts)

history = sa.Table(
    "ops_history",
    metadata,
    sa.Column("step_s", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("figures", Json, nullable=False),
)
"""One row for each step of time: every key series' value in it."""


def work_by_kind(tx: Tx, now: float) -> list[Row]:
    """Kind, rows, oldest, ripe since, leased, failing."""
    ripe = sa.case((sa.and_(work.c.due_at <= now, work.c.lease_until <= now), work.c.due_at))
    query = sa.select(
        work.c.kind,
        sa.func.count().label("number"),
        sa.func.min(work.c.since).label("oldest"),
        sa.func.min(ripe).label("ripe_since"),
        sa.func.sum(sa.case((work.c.lease_until > now, 1), else_=0)).label("leased"),
        sa.func.sum(sa.case((work.c.attempts > 0, 1), else_=0)).label("failing"),
    )
    return tx.all(query.group_by(work.c.kind))


def servers_by_state(tx: Tx) -> list[Row]:
    return tx.all(sa.select(servers.c.vm_state, sa.func.count().label("number")).group_by(servers.c.vm_state))


def changing_servers(tx: Tx) -> Row:
    query = sa.select(sa.func.count().label("number"), sa.func.min(servers.c.task_since).label("since"))
    found: list[Row] = tx.all(query.where(servers.c.task_state.is_not(None)))
    return found[0]


def inventories_by_host(tx: Tx) -> list[Row]:
    query = sa.select(
        providers.c.name, inventories.c.resource_class, inventories.c.total, inventories.c.reserved,
        inventories.c.allocation_ratio, inventories.c.used,
    )  # fmt: skip
    query = query.join_from(inventories, providers, providers.c.uuid == inventories.c.provider_uuid)
    return tx.all(query.where(providers.c.name.in_(sa.select(hosts.c.name))))


def every_verdict(tx: Tx) -> list[Row]:
    return tx.all(sa.select(verdicts).order_by(verdicts.c.name))


# -- the built-in store ----------------------------------------------------------------------------------------------


def put(tx: Tx, step_s: int, at: int, figures: dict[str, float]) -> None:
    """A row that is there already stays: another process was first."""
    statement = tx.upsert_statement(history).values(step_s=step_s, at=at, figures=figures)
    tx.execute(statement.on_conflict_do_nothing(index_elements=["step_s", "at"]))


def rows(tx: Tx, step_s: int, since: int, until: int, limit: int) -> list[tuple[int, dict[str, float]]]:
    """Newest last."""
    query = sa.select(history.c.at, history.c.figures).where(
        history.c.step_s == step_s, history.c.at >= since, history.c.at < until
    )
    found: list[Any] = tx.all(query.order_by(history.c.at.desc()).limit(limit))
    return [(row.at, row.figures) for row in reversed(found)]


def forget(tx: Tx, step_s: int, before: int) -> int:
    return tx.execute(history.delete().where(history.c.step_s == step_s, history.c.at < before))
