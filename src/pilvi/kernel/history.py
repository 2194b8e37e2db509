"""What every write of a remembered table changed: before and after, in the event of the operation that wrote it.

A store says once which columns are worth remembering: `track` for a table whose rows are resources, `part` for one
whose rows belong to a resource of another table (a group's members, a provider's inventories). From then on each
insert, update and delete is in the events, whichever code wrote it. Of `hidden` columns only that they changed is told.
Now and then an event carries the whole state too, so that kernel/past.py need not read far.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.sql import operators as op

from pilvi.kernel import facts
from pilvi.kernel.db import REMEMBERED, Row, Shaped, Tx

VALUE_MOST: Final = 4000
"""Characters of one remembered value; what is longer is named by its length."""
ROWS_MOST: Final = 1000
"""Rows of one statement that are remembered one by one, and parts of one resource that are read."""
STATE_EVERY: Final = 64
"""One in so many events of a resource carries its whole state."""
HIDDEN: Final = "(hidden)"
ANOTHER: Final = "(another, hidden)"

_NOTHING: Final[tuple[Any, ...]] = (None, "", False, [], {})
"""What a new resource has of a field that nobody set; not worth a word."""
_NOTES: Final = "notes of history"


@dataclass(slots=True)
class Note:
    """What one transaction changed of one resource."""

    kind: str
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

    def detail(self, tx: Tx, at: str) -> dict[str, Any]:
        """For the event of this moment."""
        found: dict[str, Any] = {"what": self.what, "changes": self.changes}
        if self.what == "changed" and carries_state(self.id, at):
            found["state"] = current(tx, self.kind, self.id)
        return found


def carries_state(id: str, at: str) -> bool:
    """Whether the event of a change at this moment holds the whole state: one in `STATE_EVERY`, without counting."""
    return zlib.crc32(f"{id} {at}".encode()) % STATE_EVERY == 0


@dataclass(frozen=True, slots=True)
class Tracked:
    """A table whose rows are resources."""

    kind: str
    table: sa.Table
    fields: tuple[str, ...]
    name_column: str
    project_column: str
    id_column: str
    hidden: frozenset[str]

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(name for name in (self.id_column, self.name_column, self.project_column) if name)

    def touched(self, names: Iterable[str] | None) -> tuple[str, ...]:
        """The columns to look at before these are written; None: the rows go."""
        return self.fields if names is None else tuple(name for name in self.fields if name in names)

    def inserted(self, tx: Tx, row: Mapping[str, Any]) -> None:
        note = self._note(tx, row, "created")
        changes: dict[str, list[Any]] = {}
        for name in self.fields:
            value = row.get(name)
            if value is not None and value not in _NOTHING:
                changes[name] = [None, self.shown(name, value)]
        if note.changes:
            for name, (_, after) in changes.items():
                note.put(name, None, after)
        else:
            note.changes = changes

    def changed(self, tx: Tx, row: Mapping[str, Any], new: Mapping[str, Any] | None) -> None:
        note = self._note(tx, row, "deleted" if new is None else "changed")
        for name in self.touched(new):
            before, after = row[name], None if new is None else new[name]
            if name in self.hidden and None not in (before, after) and before != after:
                note.put(name, HIDDEN, ANOTHER)
            else:
                note.put(name, self.shown(name, before), self.shown(name, after))

    def shown(self, name: str, value: Any) -> Any:
        """A value as it may be kept."""
        if name in self.hidden:
            return None if value in _NOTHING else HIDDEN
        return _bounded(value)

    def _note(self, tx: Tx, row: Mapping[str, Any], what: str) -> Note:
        name, project = str(row.get(self.name_column) or ""), str(row.get(self.project_column) or "")
        note = _note(tx, self.kind, str(row[self.id_column]), name, project, what)
        if what != "changed":
            note.name, note.project_id = name, project
        if what == "deleted":
            note.what = "nothing" if note.what == "created" else "deleted"
        elif what == "created" and note.what in ("deleted", "nothing"):
            note.what = "changed" if note.what == "deleted" else "created"
        elif what == "created":
            note.what = "created"  # Its parts came first.
        return note


@dataclass(frozen=True, slots=True)
class Part:
    """A table whose rows are parts of a resource of another table."""

    of: str
    """The kind of that resource."""
    table: sa.Table
    id_column: str
    """Where its id stands."""
    label: str
    """How a part is called among the fields, with columns in braces, such as `member {user_id}`."""
    keys: tuple[str, ...]
    fields: tuple[str, ...]
    """What is kept of it: one value, several under their names, or that it is there."""
    hidden: bool
    where: Mapping[str, str]
    """Only rows with these values."""

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.id_column, *self.keys, *self.where)

    def touched(self, names: Iterable[str] | None) -> tuple[str, ...]:
        columns = (self.id_column, *self.fields)
        return columns if names is None or any(name in names for name in columns) else ()

    def inserted(self, tx: Tx, row: Mapping[str, Any]) -> None:
        if self.takes(row):
            self._note(tx, row).put(self.name_of(row), None, self.value_of(row))

    def changed(self, tx: Tx, row: Mapping[str, Any], new: Mapping[str, Any] | None) -> None:
        if not self.takes(row):
            return
        if new is not None and new.get(self.id_column, row[self.id_column]) != row[self.id_column]:
            self.inserted(tx, {**row, **new})  # It belongs to another one now.
            new = None
        after = None if new is None else self.value_of({**row, **new})
        hides = self.hidden and new is not None and any(new[n] != row[n] for n in self.fields if n in new)
        self._note(tx, row).put(self.name_of(row), self.value_of(row), ANOTHER if hides else after)

    def takes(self, row: Mapping[str, Any]) -> bool:
        return row.get(self.id_column) is not None and all(str(row[n]) == value for n, value in self.where.items())

    def name_of(self, row: Mapping[str, Any]) -> str:
        return self.label.format_map(row)

    def value_of(self, row: Mapping[str, Any]) -> Any:
        if self.hidden:
            return HIDDEN
        if len(self.fields) == 1:
            return _bounded(row.get(self.fields[0]))
        return {name: _bounded(row.get(name)) for name in self.fields} if self.fields else True

    def _note(self, tx: Tx, row: Mapping[str, Any]) -> Note:
        return _note(tx, self.of, str(row[self.id_column]), "", "", "changed")


def _note(tx: Tx, kind: str, id: str, name: str, project_id: str, what: str) -> Note:
    notes: dict[tuple[str, str], Note] | None = tx.facts.get(_NOTES)
    if notes is None:
        notes = tx.facts[_NOTES] = {}
        facts.at_the_end(tx)
    note = notes.get((kind, id))
    if note is None:
        note = notes[kind, id] = Note(kind, id, name, project_id, facts.actor_of(tx), what)
    return note


class Watch:
    """What is remembered of one table: kernel/db.py asks it around every write."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        self.readers: list[Tracked | Part] = []

    def inserted(self, tx: Tx, row: Mapping[str, Any]) -> None:
        for reader in self.readers:
            reader.inserted(tx, row)

    def before(self, tx: Tx, statement: Any) -> list[Row] | None:
        new = None if statement.is_delete else _new_values(statement)
        touched = [name for reader in self.readers for name in reader.touched(new)]
        if not touched:
            return None
        needs = [name for reader in self.readers for name in reader.needs]
        return tx.all(_former(self.table, tuple(dict.fromkeys((*needs, *touched))), statement._where_criteria))

    def changed(self, tx: Tx, statement: Any, former: list[Row]) -> None:
        new = None if statement.is_delete else _new_values(statement)
        readers = [reader for reader in self.readers if reader.touched(new)]
        for row in former:
            values = row._asdict()
            for reader in readers:
                reader.changed(tx, values, new)

    def replaced(self, tx: Tx, former: Row | None, row: Mapping[str, Any], names: Sequence[str]) -> None:
        """An upsert has written `row`: where there was one before, only these columns of it."""
        if former is None:
            self.inserted(tx, row)
            return
        new = {name: row[name] for name in names}
        for reader in self.readers:
            if reader.touched(new):
                reader.changed(tx, former._asdict(), new)


_COMPARISONS: Final = frozenset((op.eq, op.ne, op.lt, op.le, op.gt, op.ge))


def _former(table: sa.Table, names: tuple[str, ...], criteria: tuple[Any, ...]) -> Any:
    """The statement that finds the rows which a write is about to change. Nearly every write compares columns with
    values, and then it is one that was built before."""

    def build() -> Any:
        asked = [
            each.operator(each.left, sa.bindparam(f"value_{n}", type_=each.left.type))
            for n, each in enumerate(criteria)
        ]
        return sa.select(*[table.c[name] for name in names]).where(*asked).limit(sa.bindparam("rows"))

    if not all(_is_plain(each, table) for each in criteria):
        return sa.select(*[table.c[name] for name in names]).where(*criteria).limit(ROWS_MOST)
    key = ("former", table.name, names, tuple((each.left.name, each.operator) for each in criteria))
    values = {f"value_{n}": each.right.effective_value for n, each in enumerate(criteria)}
    return Shaped(key, build, values | {"rows": ROWS_MOST})


def _is_plain(criterion: Any, table: sa.Table) -> bool:
    """A column of this table, compared with a value."""
    return (
        isinstance(criterion, sa.BinaryExpression)
        and criterion.operator in _COMPARISONS
        and isinstance(criterion.left, sa.Column)
        and criterion.left.table is table
        and isinstance(criterion.right, sa.BindParameter)
        and criterion.modifiers == {}
    )


def _new_values(statement: Any) -> dict[str, Any]:
    """Column → value of those that an update sets to a plain value."""
    found = {}
    for column, value in (statement._values or {}).items():
        if isinstance(value, sa.BindParameter):
            found[column if isinstance(column, str) else str(column.name)] = value.value
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
PARTS: Final[dict[str, list[Part]]] = {}
"""By the kind that they are parts of."""


def track(
    table: sa.Table, kind: str, fields: str, *, name: str = "name", project: str = "project_id", id: str = "id",
    hidden: str = "",
) -> None:  # fmt: skip
    """From now on changes of these columns are remembered as changes of this kind of resource.

    `project` is the column that says whose it is; empty for what belongs to the cloud. `id` is the column that names
    the resource in events. Of `hidden` columns, which hold secrets, only that they changed is remembered.
    """
    kept, secret = tuple(f"{fields} {hidden}".split()), frozenset(hidden.split())
    tracked = TRACKED[kind] = Tracked(kind, table, kept, name, project, id, secret)
    assert all(each in table.c for each in (*tracked.needs, *kept)), kind
    assert all(isinstance(table.c[each].type, sa.String) for each in (id, name)), f"{kind} is looked for by a text"
    _watch(table).readers.append(tracked)


def part(
    table: sa.Table, of: str, id: str, label: str, fields: str = "", *, hidden: bool = False, **where: str
) -> None:  # fmt: skip
    """From now on rows of this table are remembered as fields of the resource whose kind is `of`.

    `label` calls one of them, with its columns in braces; `where` takes only rows with these values. Of what is
    `hidden` it is remembered that it is there, and that one of `fields` changed.
    """
    keys = tuple(piece.partition("}")[0] for piece in label.split("{")[1:])
    made = Part(of, table, id, label, keys, tuple(fields.split()), hidden, where)
    assert " " in label, "a blank tells parts from columns"
    assert all(each in table.c for each in (*made.needs, *made.fields)), of
    PARTS.setdefault(of, []).append(made)
    _watch(table).readers.append(made)


def _watch(table: sa.Table) -> Watch:
    found: Watch = table.info.setdefault(REMEMBERED, Watch(table))
    return found


def notes_of(tx: Tx) -> list[Note]:
    """What this transaction has changed so far; asking takes it away."""
    notes: dict[tuple[str, str], Note] = tx.facts.pop(_NOTES, {})
    found = [note for note in notes.values() if note.changes and note.what != "nothing"]
    for note in found:
        if not note.name and note.what == "changed":
            _name(tx, note)
    return found


def _name(tx: Tx, note: Note) -> None:
    """Of what only parts have changed the name is not known yet."""
    tracked = TRACKED.get(note.kind)
    if tracked is None or tracked.name_column == tracked.id_column:
        return
    itself = (tracked.table.c[tracked.id_column] == note.id,)
    row: Any = tx.first(_former(tracked.table, tuple(dict.fromkeys(tracked.needs)), itself))
    if row is not None:
        note.name = str(getattr(row, tracked.name_column) or "")
        note.project_id = str(getattr(row, tracked.project_column) or "") if tracked.project_column else ""


def current(tx: Tx, kind: str, id: str) -> dict[str, Any] | None:
    """The remembered fields as they are now, parts among them; None when there is no such resource."""
    tracked, found = TRACKED.get(kind), None
    if tracked is not None:
        table = tracked.table
        columns = [table.c[name] for name in dict.fromkeys((tracked.id_column, *tracked.fields))]
        row: Any = tx.first(sa.select(*columns).where(table.c[tracked.id_column] == id))
        if row is None:
            return None
        found = {name: tracked.shown(name, value) for name, value in row._asdict().items()}
    parts = {name: value for each in PARTS.get(kind, ()) for name, value in _parts(tx, each, id)}
    return found | parts if found is not None else parts or None


def _parts(tx: Tx, each: Part, id: str) -> list[tuple[str, Any]]:
    columns = [each.table.c[name] for name in dict.fromkeys((*each.needs, *each.fields))]
    conditions = [each.table.c[each.id_column] == id, *(each.table.c[n] == value for n, value in each.where.items())]
    found: list[Row] = tx.all(sa.select(*columns).where(*conditions).limit(ROWS_MOST))
    return [(each.name_of(row), each.value_of(row)) for row in (one._asdict() for one in found)]


facts.ask_for_notes(notes_of)
