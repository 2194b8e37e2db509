"""Events: what was asked, decided and done, written in the transaction of the change. `pilvi why` reads them."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Json, Tx, metadata

events = sa.Table(
    "kernel_events",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(27), nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("resource_type", sa.String(32), nullable=False),
    sa.Column("resource_id", sa.String(64), nullable=False),
    sa.Column("resource_name", sa.String(255), nullable=False),
    sa.Column("step", sa.String(96), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("duration_ms", sa.Float, nullable=True),
    sa.Column("detail", Json, nullable=True),
    sa.Index("kernel_events_by_resource", "resource_id", "id"),
    sa.Index("kernel_events_by_request", "request_id", "id"),
    sa.Index("kernel_events_by_name", "resource_name", "id"),
    sa.Index("kernel_events_by_time", "at"),
)

DETAIL_LIMIT = 8000
"""Characters of one string in an event's detail; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class Event:
    at: str
    request_id: str
    user_id: str
    project_id: str
    resource_type: str
    resource_id: str
    resource_name: str
    step: str
    outcome: str
    duration_ms: float | None
    detail: dict[str, Any] | None


def record(
    tx: Tx,
    ctx: Context,
    step: str,
    *,
    resource: tuple[str, str, str] | None = None,
    project_id: str | None = None,
    outcome: str = "done",
    duration_ms: float | None = None,
    at: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one event. `resource` is type, id and name; without it the context's own is meant."""
    kind, id, name = resource or ctx.resource or ("", "", "")
    event = Event(
        at=at or clock.timestamp(),
        request_id=ctx.request_id,
        user_id=ctx.user_id,
        project_id=ctx.project_id if project_id is None else project_id,
        resource_type=kind,
        resource_id=id,
        resource_name=(name or "")[:255],
        step=step[:96],
        outcome=outcome,
        duration_ms=duration_ms,
        detail=_bounded(detail),
    )
    tx.insert(events, event)


def _bounded(detail: dict[str, Any] | None) -> dict[str, Any] | None:
    if detail is None:
        return None
    return {k: v[:DETAIL_LIMIT] if isinstance(v, str) else v for k, v in detail.items()}


_COLUMNS = [events.c[name] for name in Event.__dataclass_fields__]


def of(tx: Tx, what: str, limit: int = 2000) -> list[Event]:
    """The events of a resource id, a request id or a resource name, oldest first."""
    for column in (events.c.resource_id, events.c.request_id, events.c.resource_name):
        query = sa.select(*_COLUMNS).where(column == what).order_by(events.c.id.desc()).limit(limit)
        found = tx.all(query, Event)
        if found:
            return found[::-1]
    return []


def of_requests(tx: Tx, request_ids: list[str], limit: int = 4000) -> list[Event]:
    """All events of these requests, oldest first: what else the same operations did."""
    query = sa.select(*_COLUMNS).where(events.c.request_id.in_(request_ids)).order_by(events.c.id).limit(limit)
    return tx.all(query, Event)


def drop_older(tx: Tx, before: str) -> int:
    """Retention: forget events older than this timestamp."""
    return tx.execute(events.delete().where(events.c.at < before))
