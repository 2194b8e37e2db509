"""Events: what was asked, decided and done, written in the transaction of the change. `pilvi why` reads them.

An operation is everything under one request id: the request, the loop turns and the host's steps that follow. Each
changed resource is one event with what changed (kernel/history.py), each step another; nothing is ever changed in an
event. `retention` drops what is old, a partition at a time on PostgreSQL, in small deletes on SQLite.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.context import Context, internal
from pilvi.kernel.db import Json, Row, Tx, metadata
from pilvi.kernel.steps import Steps

PARTITIONED: Final = "partitioned by"
"""The key in a table's `info` of the column by which PostgreSQL partitions it."""

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
    sa.Column("trace_id", sa.String(32), nullable=True),
    sa.Index("kernel_events_by_resource", "resource_id", "at"),
    sa.Index("kernel_events_by_request", "request_id", "id"),
    sa.Index("kernel_events_by_name", "resource_name", "id"),
    sa.Index("kernel_events_by_time", "at"),
    sa.Index(
        "kernel_events_by_trace",
        "trace_id",
        "id",
        sqlite_where=sa.text("trace_id is not null"),
        postgresql_where=sa.text("trace_id is not null"),
    ),
    info={PARTITIONED: "at"},
)

ID_MOST = 64
"""Characters of a resource's id that events keep; a few ids are names, and longer."""
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
    trace_id: str | None = None
    """The caller's own trace, of a request that came with one."""


BAD_OUTCOMES: Final = ("failed", "error", "refused", "denied", "crashed", "timeout", "violated")
"""Outcomes that somebody may ask `why` about."""


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
    project = ctx.project_id if project_id is None else project_id
    tx.facts.setdefault(_RECORDER, Actor(ctx, step))
    tx.insert(events, _event(ctx, step, resource or ctx.resource, project, outcome, duration_ms, at, detail))


def tell(tx: Tx, ctx: Context, steps: Steps, resource: tuple[str, str, str], project_id: str) -> None:
    """Calls of a driver as events of this resource. They are forgotten once the events are durable."""
    told = list(steps.taken)
    for step in told:
        outcome, said = ("failed", {"message": step.message}) if step.message else ("done", {"text": step.text})
        tx.insert(events, _event(ctx, step.name, resource, project_id, outcome, step.duration_ms, step.at, said))
    tx.after_commit(lambda: steps.forget(told))


def _event(
    ctx: Context,
    step: str,
    resource: tuple[str, str, str] | None,
    project_id: str,
    outcome: str = "done",
    duration_ms: float | None = None,
    at: str | None = None,
    detail: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The row of an event."""
    kind, id, name = resource or ("", "", "")
    return {
        "at": at or clock.timestamp(), "request_id": ctx.request_id, "user_id": ctx.principal.user_id,
        "project_id": project_id, "resource_type": kind[:32], "resource_id": id[:ID_MOST],
        "resource_name": (name or "")[:255], "step": step[:96], "outcome": outcome, "duration_ms": duration_ms,
        "detail": _bounded(detail), "trace_id": ctx.trace_id or None,
    }  # fmt: skip


def _bounded(detail: dict[str, Any] | None) -> dict[str, Any] | None:
    if detail is None:
        return None
    return {k: v[:DETAIL_LIMIT] if isinstance(v, str) else v for k, v in detail.items()}


# ---- whose change it is ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf a transaction changes things, and in which step."""

    ctx: Context
    step: str
    started: float = 0.0
    """When its turn began, on the monotonic clock."""


class Note(Protocol):
    """What a transaction changed of one resource, as kernel/history.py takes it down."""

    kind: str
    id: str
    name: str
    project_id: str
    actor: Actor

    def detail(self, tx: Tx, at: str) -> dict[str, Any]:
        """What has changed, for the event of this moment."""


_ACTOR, _RECORDER = "actor of facts", "recorder of facts"
_REQUEST, _PLANNED = "request of facts", "facts are planned"
_NOBODY: Final = Actor(internal(""), "change")
_turn: ContextVar[Actor | None] = ContextVar("turn", default=None)
_notes_of: list[Callable[[Tx], list[Any]]] = []


def ask_for_notes(source: Callable[[Tx], list[Any]]) -> None:
    """Who knows what a transaction changed (kernel/history.py)."""
    _notes_of.append(source)


def act(tx: Tx, ctx: Context, step: str) -> None:
    """What this transaction changes from here on is done on behalf of this context, in this step."""
    tx.facts[_ACTOR] = Actor(ctx, step)


@contextmanager
def turn(request_id: str, step: str) -> Iterator[None]:
    """What transactions inside change, and say of nobody else's, is this loop's turn."""
    token = _turn.set(Actor(internal(request_id), step, clock.monotonic()))
    try:
        yield
    finally:
        _turn.reset(token)


def actor_of(tx: Tx) -> Actor:
    found: Actor | None = tx.facts.get(_ACTOR) or _turn.get()
    return found or _NOBODY


def request(tx: Tx, ctx: Context, step: str, detail: Mapping[str, Any]) -> None:
    """The event of a changing request. Written at the end, in one row with what it changed of its resource."""
    tx.facts[_REQUEST] = (ctx, step, dict(detail))
    at_the_end(tx)


def at_the_end(tx: Tx) -> None:
    if _PLANNED not in tx.facts:
        tx.facts[_PLANNED] = True
        tx.before_commit(_write)


def _write(tx: Tx) -> None:
    asked: tuple[Context, str, dict[str, Any]] | None = tx.facts.pop(_REQUEST, None)
    notes: list[Note] = [note for source in _notes_of for note in source(tx)]
    main = None if asked is None else _main(asked[0], notes)
    recorder: Actor | None = tx.facts.get(_RECORDER)
    for note in notes:
        if note.actor is _NOBODY and recorder is not None:
            note.actor = recorder  # Who wrote an event in this transaction has changed what it changed.
    rows = [_of_note(tx, note, asked if note is main else None) for note in notes]
    if asked is not None and main is None:
        ctx, step, detail = asked
        rows.append(_event(ctx, step, ctx.resource, ctx.project_id, duration_ms=_since(ctx.started), detail=detail))
    if len(rows) == 1:
        tx.insert(events, rows[0])
    else:
        tx.insert_many(events, rows)


def _main(ctx: Context, notes: list[Note]) -> Note | None:
    """The resource that the request was about: the one it named, or the first it changed."""
    if ctx.resource is None:
        return notes[0] if notes else None
    kind, id, name = ctx.resource
    same_id: Note | None = None
    same_name: Note | None = None
    for note in notes:
        if note.id == id:
            if note.kind == kind:
                return note
            same_id = same_id or note
        elif note.kind == kind and note.name and note.name in (id, name):
            same_name = same_name or note
    return same_id or same_name


def _of_note(tx: Tx, note: Note, asked: tuple[Context, str, dict[str, Any]] | None) -> dict[str, Any]:
    ctx, step, at = note.actor.ctx, note.actor.step, clock.timestamp()
    detail, duration_ms = note.detail(tx, at), _since(note.actor.started)
    if asked is not None:
        ctx, step = asked[0], asked[1]
        detail = asked[2] | detail
        duration_ms = _since(ctx.started)
    about = (note.kind, note.id, note.name)
    return _event(ctx, step, about, note.project_id, duration_ms=duration_ms, at=at, detail=detail)


def _since(started: float) -> float | None:
    return round((clock.monotonic() - started) * 1000, 3) if started else None


# ---- reading -----------------------------------------------------------------------------------------------------

Place = tuple[str, int]
"""Where something stands among the events of a resource: its time and its number."""


@dataclass(frozen=True, slots=True)
class Kept(Event):
    """An event as it is kept, with its number."""

    id: int = 0


_COLUMNS = [events.c[name] for name in Event.__dataclass_fields__]
_KEPT = [events.c[name] for name in Kept.__dataclass_fields__]


def of(tx: Tx, what: str, limit: int = 2000) -> list[Event]:
    """The newest events of a resource id, a request id or a resource name, oldest first."""
    for column in (events.c.resource_id, events.c.request_id, events.c.resource_name):
        by_time = (events.c.at.desc(),) if column is events.c.resource_id else ()
        value = what[:ID_MOST] if by_time else what
        newest_first = sa.select(*_KEPT).where(column == value).order_by(*by_time, events.c.id.desc())
        found = tx.all(newest_first.limit(limit), Kept)
        if found:
            return [*sorted(found, key=lambda event: event.id)]
    return []


def of_requests(tx: Tx, request_ids: list[str], limit: int = 4000) -> list[Event]:
    """All events of these requests, oldest first: what else the same operations did."""
    query = sa.select(*_COLUMNS).where(events.c.request_id.in_(request_ids)).order_by(events.c.id).limit(limit)
    return tx.all(query, Event)


def requests_of_trace(tx: Tx, trace_id: str, limit: int = 100) -> list[str]:
    """The newest requests that came with a caller's trace, oldest first."""
    query = sa.select(events.c.request_id).where(events.c.trace_id == trace_id).order_by(events.c.id.desc())
    return list(dict.fromkeys(tx.scalars(query.limit(limit))))[::-1]


def last_asked(tx: Tx, resource_id: str) -> Event | None:
    """The newest event of a resource that belongs to a request: what was asked of it last."""
    mine = (events.c.resource_id == resource_id[:ID_MOST], events.c.request_id != "")
    newest_first = sa.select(*_COLUMNS).where(*mine).order_by(events.c.at.desc(), events.c.id.desc())
    return tx.first(newest_first.limit(1), Event)


def page_of(tx: Tx, kind: str, resource_id: str, before: Place | None, limit: int) -> list[Kept]:
    """Events of a resource before a place, newest first."""
    query = sa.select(*_KEPT).where(events.c.resource_id == resource_id[:ID_MOST], events.c.resource_type == kind)
    if before is not None:
        at, number = before
        query = query.where(events.c.at <= at, sa.or_(events.c.at < at, events.c.id < number))
    return tx.all(query.order_by(events.c.at.desc(), events.c.id.desc()).limit(limit), Kept)


def details_after(
    tx: Tx, kind: str, resource_id: str, after: Place, limit: int
) -> list[tuple[str, int, dict[str, Any] | None]]:
    """Time, number and detail of a resource's events after a place, oldest first; at number 0, after that time."""
    at, number = after
    later = sa.or_(events.c.at > at, events.c.id > number) if number else events.c.at > at
    query = sa.select(events.c.at, events.c.id, events.c.detail).where(
        events.c.resource_id == resource_id[:ID_MOST], events.c.resource_type == kind, events.c.at >= at, later
    )
    rows: list[Row] = tx.all(query.order_by(events.c.at, events.c.id).limit(limit))
    return [(row.at, row.id, row.detail) for row in rows]


def newest(tx: Tx, *, outcomes: tuple[str, ...], limit: int) -> list[Event]:
    """The last events with such an outcome, newest first."""
    query = sa.select(*_COLUMNS).where(events.c.outcome.in_(outcomes)).order_by(events.c.at.desc()).limit(limit)
    return tx.all(query, Event)


def oldest(tx: Tx) -> str | None:
    """Since when events are kept."""
    found: str | None = tx.scalar(sa.select(sa.func.min(events.c.at)))
    return found


# ---- forgetting --------------------------------------------------------------------------------------------------

DROP_AT_ONCE: Final = 5000
"""Rows that one transaction deletes, so that nobody waits for long."""
WEEKS_AHEAD: Final = 2
PREFIX: Final = "kernel_events_w"


def drop_older(tx: Tx, before: str) -> int:
    """Retention: forget events older than this timestamp; at most `DROP_AT_ONCE` of those that are in no partition."""
    if tx.is_postgresql:
        _partition(tx, before)
    old = sa.select(events.c.id).where(events.c.at < before).order_by(events.c.at).limit(DROP_AT_ONCE)
    return tx.execute(events.delete().where(events.c.at < before, events.c.id.in_(old)))


def _partition(tx: Tx, before: str) -> None:
    """Weeks that are over go as a whole; those that come get a table of their own before the first event is there."""
    known = "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = "
    present = set(tx.scalars(sa.text(known + "to_regclass('kernel_events')").columns(sa.column("relname"))))
    for name in sorted(present):
        if name.startswith(PREFIX) and _monday(name) + timedelta(days=7) <= _day(before):
            tx.execute(sa.text(f"drop table {name}"))
    today = _day(clock.timestamp())
    this_week = today - timedelta(days=today.weekday())
    for week in range(WEEKS_AHEAD + 1):
        first = this_week + timedelta(days=7 * week)
        name, last = PREFIX + first.strftime("%Y%m%d"), first + timedelta(days=7)
        inside = sa.select(events.c.id).where(events.c.at >= str(first.date()), events.c.at < str(last.date())).limit(1)
        if name not in present and tx.scalar(inside) is None:
            span = f"from ('{first.date()}') to ('{last.date()}')"
            tx.execute(sa.text(f"create table {name} partition of kernel_events for values {span}"))


def _day(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp[:10]).replace(tzinfo=UTC)


def _monday(name: str) -> datetime:
    digits = name.removeprefix(PREFIX)
    return datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:8]), tzinfo=UTC)
