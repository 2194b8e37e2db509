"""How a resource was at any time, and its changes page by page, read from the events."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from pilvi.kernel import facts, history
from pilvi.kernel.db import Row, Shaped, Tx
from pilvi.kernel.facts import Kept, Place

READ_MOST: Final = 20_000
"""Events of one resource that one question reads at most."""


NAMED_MOST: Final = 10
"""Resources of one kind and name that are told apart."""


def named(tx: Tx, name: str) -> list[tuple[str, str]]:
    """Kind and id of the resources that are there now with this id, or where there is none, with this name."""
    for column in ("id_column", "name_column"):
        statement = Shaped(("past.named", column, len(history.TRACKED)), partial(_anywhere, column), {"name": name})
        found: list[Row] = tx.all(statement)
        if found:
            return [(row.kind, row.id) for row in found]
    return []


def _anywhere(column: str) -> Any:
    """One question for all tables: there are many, and each would be a way to the database and back."""
    branches = []
    for kind, tracked in history.TRACKED.items():
        columns = tracked.table.c
        if column == "name_column" and tracked.name_column == tracked.id_column:
            continue
        wanted = sa.select(sa.literal_column(f"'{kind}'").label("kind"), columns[tracked.id_column].label("id"))
        few = wanted.where(columns[getattr(tracked, column)] == sa.bindparam("name", type_=sa.String))
        branches.append(sa.select(few.limit(sa.literal_column(str(NAMED_MOST))).subquery()))
    return sa.union_all(*branches)


@dataclass(frozen=True, slots=True)
class State:
    """A resource at a moment."""

    exists: bool
    fields: dict[str, Any]
    note: str = ""
    """What is not certain, for a moment before the events that are kept."""


def at(tx: Tx, kind: str, id: str, moment: str) -> State:
    """The state at a moment: that of the next event which tells all, or else today's, and what came before undone.

    An event tells all when it carries the state, and when it made the resource or deleted it.
    """
    newer: list[tuple[int, dict[str, Any]]] = []
    base, exists = None, True
    for number, detail in _changes_after(tx, kind, id, moment):
        newer.append((number, detail))
        if detail["what"] == "created":
            exists = False
        if detail["what"] != "changed" or "state" in detail:
            base = detail.get("state") or {}
            break
    if not exists:
        return State(False, {})
    if base is None:
        base = history.current(tx, kind, id)
        if base is None and not newer:
            return State(False, {})
    fields = dict(base or {})
    for _, detail in sorted(newer, key=lambda pair: -pair[0]):
        fields.update({name: pair[0] for name, pair in detail["changes"].items()})
    present = {name: value for name, value in fields.items() if value is not None or " " not in name}
    return State(True, {**present, "id": id}, _doubt(tx, moment, len(newer)))


def _changes_after(tx: Tx, kind: str, id: str, moment: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and detail of each change after a moment, the first ones first."""
    after: Place = (moment, 0)
    size = history.STATE_EVERY
    for read in range(0, READ_MOST, size):
        page = facts.details_after(tx, kind, id, after, size)
        yield from ((number, detail) for _, number, detail in page if detail and "changes" in detail)
        if len(page) < size or read + size >= READ_MOST:
            return
        after = page[-1][:2]


def _doubt(tx: Tx, moment: str, read: int) -> str:
    if read >= READ_MOST:
        return f"it has changed more than {READ_MOST} times since; only the first of them were undone"
    oldest = facts.oldest(tx)
    return f"events are kept since {oldest}" if oldest is not None and oldest > moment else ""


def changes(tx: Tx, kind: str, id: str, *, before: Place | None, limit: int) -> tuple[list[Kept], Place | None]:
    """The newest changes of a resource before a place among its events, oldest first, and where older ones begin."""
    found: list[Kept] = []
    size = max(history.STATE_EVERY, limit + 1)
    for _ in range(0, READ_MOST, size):
        page = facts.page_of(tx, kind, id, before, size)
        found += [event for event in page if "changes" in (event.detail or {})]
        if len(found) > limit:
            found = found[:limit]
            return found[::-1], (found[-1].at, found[-1].id)
        if len(page) < size:
            return found[::-1], None
        before = (page[-1].at, page[-1].id)
    return found[::-1], before
