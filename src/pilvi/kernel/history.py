"""What every write of a remembered table changed: before and after, in the event of the operation that wrote it.

A store says once which columns are worth remembering (`track`); from then on each insert, update and delete of that
table is in the events, whichever code wrote it. Columns that hold secrets are never named. Events read backwards give
the state at any time (`at`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import sqlalchemy as sa

from pilvi.kernel import facts
from pilvi.kernel.db import REMEMBERED, Row, Tx
from pilvi.kernel.facts import Event

VALUE_MOST: Final = 4000
"""Characters of one remembered value; what is longer is named by its length."""
ROWS_MOST: Final = 1000
"""Rows of one statement that are remembered one by one."""
READ_MOST: Final = 20_000
"""Events of one resource that are read back at most."""

_NOTHING: Final[tuple[Any, ...]] = (None, "", False, [], {})
"""What a new resource has of a field that nobody set; not worth a word."""
_NOTES: Final = "notes of history"


@dataclass(slots=True)
class Note:
    """What one transaction changed of one resource."""

    tracked: "Tracked"
    id: str
    name: str
    project_id: str
    actor: facts.Actor
    what: str
    """created, changed or deleted."""
    changes: dict[str, list[Any]] = field(default_factory=dict)

    def put(self, name: str, before: Any, after: Any) -> None:
        """Several changes of one field in a transaction are one."""
        if name in self.changes:
            before = self.changes[name][0]
        if before == after:
            self.changes.pop(name, None)
        else:
            self.changes[name] = [before, after]


@dataclass(frozen=True, slots=True)
class Tracked:
    """A table whose changes are remembered."""

    kind: str
    table: sa.Table
    fields: tuple[str, ...]
    name_column: str
    project_column: str

    def inserted(self, tx: Tx, row: Mapping[str, Any]) -> None:
        note = self._note(tx, str(row["id"]), row, "created")
        for name in self.fields:
            value = row.get(name)
            if value not in _NOTHING:
                note.put(name, None, _bounded(value))

    def before(self, tx: Tx, statement: Any) -> list[Row] | None:
        names = self.fields if statement.is_delete else tuple(_new_values(statement, self.fields))
        if not names:
            return None
        wanted = dict.fromkeys(n for n in ("id", self.name_column, self.project_column, *names) if n)
        query = sa.select(*[self.table.c[name] for name in wanted]).where(*statement._where_criteria)
        return tx.all(query.limit(ROWS_MOST))

    def changed(self, tx: Tx, statement: Any, former: list[Row]) -> None:
        new = dict.fromkeys(self.fields) if statement.is_delete else _new_values(statement, self.fields)
        for row in former:
            note = self._note(tx, row.id, row._asdict(), "deleted" if statement.is_delete else "changed")
            for name, value in new.items():
                note.put(name, _bounded(getattr(row, name)), _bounded(value))

    def _note(self, tx: Tx, id: str, row: Mapping[str, Any], what: str) -> Note:
        notes: dict[tuple[str, str], Note] | None = tx.facts.get(_NOTES)
        if notes is None:
            notes = tx.facts[_NOTES] = {}
            facts.at_the_end(tx)
        note = notes.get((self.kind, id))
        if note is None:
            name, project = str(row.get(self.name_column) or ""), str(row.get(self.project_column) or "")
            note = notes[self.kind, id] = Note(self, id, name, project, facts.actor_of(tx), what)
        elif what == "deleted":
            note.what = "nothing" if note.what == "created" else "deleted"
        return note


def _new_values(statement: Any, fields: Sequence[str]) -> dict[str, Any]:
    """Column → value of those that an update sets to a plain value."""
    found = {}
    for column, value in (statement._values or {}).items():
        name = column if isinstance(column, str) else str(column.name)
        if name in fields and isinstance(value, sa.BindParameter):
            found[name] = value.value
    return found


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return str(value) if len(value) <= VALUE_MOST else value[:VALUE_MOST] + "…"
    if isinstance(value, dict | list):
        size = len(orjson.dumps(value, default=str))
        return value if size <= VALUE_MOST else f"({size} characters)"
    return value


TRACKED: Final[dict[str, Tracked]] = {}
"""By kind."""


def track(table: sa.Table, kind: str, fields: str, *, name: str = "name", project: str = "project_id") -> None:
    """From now on changes of these columns are remembered as changes of this kind of resource.

    `project` is the column that says whose it is; empty for what belongs to the cloud.
    """
    tracked = Tracked(kind, table, tuple(fields.split()), name, project)
    assert all(each in table.c for each in ("id", name, *tracked.fields)), kind
    table.info[REMEMBERED] = TRACKED[kind] = tracked


def notes_of(tx: Tx) -> list[Note]:
    """What this transaction has changed so far; asking takes it away."""
    notes: dict[tuple[str, str], Note] = tx.facts.pop(_NOTES, {})
    return [note for note in notes.values() if note.changes and note.what != "nothing"]


facts.ask_for_notes(notes_of)


# ---- reading back ------------------------------------------------------------------------------------------------


def current(tx: Tx, kind: str, id: str) -> dict[str, Any] | None:
    """The remembered columns as they are now."""
    tracked = TRACKED.get(kind)
    if tracked is None:
        return None
    columns = [tracked.table.c[name] for name in dict.fromkeys(("id", *tracked.fields))]
    row: Any = tx.first(sa.select(*columns).where(tracked.table.c.id == id))
    return None if row is None else dict(row._asdict())


def named(tx: Tx, name: str, limit: int = 10) -> list[tuple[str, str]]:
    """Kind and id of the resources with this id or name that are there now."""
    found = []
    for kind, tracked in TRACKED.items():
        column = tracked.table.c[tracked.name_column]
        query = sa.select(tracked.table.c.id).where(sa.or_(tracked.table.c.id == name, column == name)).limit(limit)
        found += [(kind, str(id)) for id in tx.scalars(query)]
    return found


@dataclass(frozen=True, slots=True)
class State:
    """A resource at a moment."""

    exists: bool
    fields: dict[str, Any]
    note: str = ""
    """What is not certain, for a moment before the events that are kept."""


def at(tx: Tx, kind: str, id: str, moment: str) -> State:
    """Undo what was changed since then, newest first."""
    now = current(tx, kind, id)
    fields, exists = dict(now or {}), now is not None
    details = facts.details_since(tx, kind, id, moment, limit=READ_MOST)
    for detail in details:
        if "changes" not in detail:
            continue
        exists = detail.get("what") != "created"
        if exists:
            fields.update({name: pair[0] for name, pair in detail["changes"].items()})
        else:
            fields = {}
    if not exists:
        return State(False, {})
    return State(True, fields | {"id": id}, _doubt(tx, moment, len(details)))


def _doubt(tx: Tx, moment: str, read: int) -> str:
    if read >= READ_MOST:
        return f"it has changed more than {READ_MOST} times since; only the newest were undone"
    oldest = facts.oldest(tx)
    return f"events are kept since {oldest}" if oldest is not None and oldest > moment else ""


def changes_of(events: Sequence[Event], kind: str, id: str) -> list[Event]:
    """Only the events that changed this resource."""
    return [e for e in events if e.resource_id == id and e.resource_type == kind and "changes" in (e.detail or {})]
