"""The work table: which loops have what to do. A row says only that a key must be looked at; it carries no payload."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Tx, metadata

work = sa.Table(
    "kernel_work",
    metadata,
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("due_at", sa.Float, nullable=False),
    sa.Column("lease_until", sa.Float, nullable=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("pokes", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("last_error", sa.Text, nullable=False),
    sa.Index("kernel_work_ripe", "due_at"),
)

wake: list[Callable[[], None]] = []
"""Called after a commit that poked something: the runners of this process listen here."""


@dataclass(frozen=True, slots=True)
class Item:
    kind: str
    key: str
    pokes: int
    attempts: int
    since: float
    request_id: str


def poke(tx: Tx, kind: str, key: str, request_id: str = "", after_s: float = 0.0) -> None:
    """Have the loop of this kind look at the key, soon, in the transaction that created the need."""
    now = clock.now()
    row = {
        "kind": kind, "key": key, "due_at": now + after_s, "lease_until": 0.0, "owner": "", "pokes": 1,
        "attempts": 0, "since": now, "request_id": request_id, "last_error": "",
    }  # fmt: skip
    insert = tx.upsert_statement(work).values(row)
    earlier = sa.case((work.c.due_at < insert.excluded.due_at, work.c.due_at), else_=insert.excluded.due_at)
    tx.execute(
        insert.on_conflict_do_update(
            index_elements=["kind", "key"],
            set_={"due_at": earlier, "pokes": work.c.pokes + 1, "request_id": insert.excluded.request_id},
        )
    )
    if after_s == 0.0:
        tx.after_commit(_wake)


def _wake() -> None:
    for listener in wake:
        listener()


def claim(tx: Tx, kinds: list[str], owner: str, *, lease_s: float, limit: int) -> list[Item]:
    """Take ripe keys whose lease is free, so that nobody else works on them until the lease ends."""
    now = clock.now()
    ripe = (
        sa.select(work.c.kind, work.c.key, work.c.pokes, work.c.attempts, work.c.since, work.c.request_id)
        .where(work.c.due_at <= now, work.c.lease_until <= now, work.c.kind.in_(kinds))
        .order_by(work.c.due_at)
        .limit(limit)
    )
    if tx.is_postgresql:
        ripe = ripe.with_for_update(skip_locked=True)
    items = tx.all(ripe, Item)
    for item in items:
        tx.execute(_row(item).values(lease_until=now + lease_s, owner=owner))
    return items


def next_due(tx: Tx, kinds: list[str]) -> float | None:
    """When the next key of these kinds becomes ripe."""
    due = sa.case((work.c.lease_until > work.c.due_at, work.c.lease_until), else_=work.c.due_at)
    found = tx.scalar(sa.select(sa.func.min(due)).where(work.c.kind.in_(kinds)))
    return None if found is None else float(found)


def finish(tx: Tx, item: Item, owner: str) -> None:
    """The key is done, unless it was poked meanwhile: then it is ripe again."""
    mine = (work.c.kind == item.kind, work.c.key == item.key, work.c.owner == owner)
    if not tx.execute(work.delete().where(*mine, work.c.pokes == item.pokes)):
        tx.execute(work.update().where(*mine).values(lease_until=0.0, owner="", attempts=0))


def postpone(tx: Tx, item: Item, owner: str, *, after_s: float, error: str = "", failed: bool = False) -> None:
    """Look again later; a poke that came meanwhile makes it now."""
    mine = (work.c.kind == item.kind, work.c.key == item.key, work.c.owner == owner)
    later = clock.now() + after_s
    due = sa.case((work.c.pokes == item.pokes, later), else_=work.c.due_at)
    attempts = work.c.attempts + 1 if failed else work.c.attempts
    tx.execute(
        work.update()
        .where(*mine)
        .values(due_at=due, lease_until=0.0, owner="", attempts=attempts, last_error=error[:2000])
    )


def _row(item: Item) -> sa.Update:
    return work.update().where(work.c.kind == item.kind, work.c.key == item.key)


@dataclass(frozen=True, slots=True)
class Row:
    """A key with everything that is known of it, for those who explain."""

    kind: str
    key: str
    due_at: float
    lease_until: float
    attempts: int
    since: float
    request_id: str
    last_error: str


def find(tx: Tx, key: str, kind: str | None = None) -> list[Row]:
    """The rows of this key, of one kind or of all."""
    query = sa.select(*[work.c[name] for name in Row.__dataclass_fields__]).where(work.c.key == key)
    return tx.all(query if kind is None else query.where(work.c.kind == kind), Row)


def pending(tx: Tx, kind: str | None = None) -> list[Item]:
    """All rows, for status pages and tests."""
    query = sa.select(work.c.kind, work.c.key, work.c.pokes, work.c.attempts, work.c.since, work.c.request_id)
    return tx.all(query if kind is None else query.where(work.c.kind == kind), Item)
