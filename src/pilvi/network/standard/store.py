"""Columns that every table of the network has, and lists: filtered, sorted and paged as this API does it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.paging import Page, cut, keyset
from pilvi.kernel.query import Query
from pilvi.kernel.wire import boolean
from pilvi.network.standard.model import missing

cursors = sa.Table(
    "network_cursors",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("next", sa.BigInteger, nullable=False),
)

NOT_FILTERS = frozenset({"limit", "marker", "page_reverse", "sort_key", "sort_dir", "fields"})
TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")
FILTER_VALUES_LIMIT = 500
"""Values of one filter; more would not be a question any more."""
LIMIT_MOST = 1_000_000
INTEGER_MOST = 2**31 - 1
"""What an integer column can hold; a filter by more matches nothing."""

Condition = Callable[[list[str]], Any]


def columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.String(255), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("updated_at", sa.String(27), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
    ]


@dataclass(frozen=True, slots=True)
class Listing:
    """How one collection can be asked for."""

    what: str
    """The resource as its faults name it, such as Network."""
    table: sa.Table
    record: Callable[..., Any]
    attributes: Mapping[str, Any]
    """Wire name → column: can be filtered and sorted by."""
    filters: Mapping[str, Condition] = field(default_factory=dict)
    """Further filters, each a function from the values given to a condition."""


def attributes(table: sa.Table, *same: str, **renamed: str) -> dict[str, Any]:
    """The standard attributes and more of a table; `wire_name="column"` where they differ."""
    found = {name: table.c[name] for name in ("id", "project_id", "name", "description", *same)}
    found |= {"tenant_id": table.c.project_id, "revision_number": table.c.revision}
    found |= {"created_at": table.c.created_at, "updated_at": table.c.updated_at}
    return found | {wire: table.c[name] for wire, name in renamed.items()}


def page(tx: Tx, listing: Listing, query: Query, where: Sequence[Any] = ()) -> Page[Any]:
    statement = sa.select(listing.table).where(*where, *_conditions(listing, query))
    limit = query.number("limit", most=LIMIT_MOST) or None
    reverse = query.flag("page_reverse")
    order = _order(listing, query)
    after = _after(tx, listing, query.get("marker") if limit else None, order)
    keys = [(_comparable(listing.table.c[name]), descending) for name, descending in order]
    statement = keyset(statement, keys, after=after, limit=limit, reverse=reverse and limit is not None)
    found = cut(tx.all(statement, listing.record), limit, reverse=reverse and limit is not None)
    found.previous = limit is not None
    return found


def _conditions(listing: Listing, query: Query) -> list[Any]:
    found = []
    for name in query:
        if name in NOT_FILTERS:
            continue
        values = query.all(name)
        if len(values) > FILTER_VALUES_LIMIT:
            raise BadRequest(f"The filter {name} has more than {FILTER_VALUES_LIMIT} values.")
        if name in listing.filters:
            found.append(listing.filters[name](values))
        elif name in listing.attributes:
            found.append(_equals(listing.attributes[name], name, values))
        elif name in TAG_FILTERS:
            found.append(_tagged(listing.table.c.tags, name, values))
        elif name != "changed_since":
            raise BadRequest(f"[{name!r}] is invalid attribute for filtering", type="HTTPBadRequest")
        else:
            found.append(listing.table.c.updated_at >= values[-1])
    return found


def _equals(column: Any, name: str, values: list[str]) -> Any:
    if isinstance(column.type, sa.Boolean):
        return column.in_([boolean(value) for value in values])
    if isinstance(column.type, sa.Integer):
        try:
            return column.in_([number for value in values if abs(number := int(value)) <= INTEGER_MOST])
        except ValueError:
            raise BadRequest(f"{name} must be an integer.", type="HTTPBadRequest") from None
    if name in ("created_at", "updated_at"):
        return sa.func.substr(column, 1, 19).in_([value.removesuffix("Z") for value in values])
    condition = column.in_(values)
    return sa.or_(condition, column.is_(None)) if column.nullable and "" in values else condition


def _tagged(column: Any, name: str, values: list[str]) -> Any:
    tags = [tag for value in values for tag in value.split(",") if tag]
    each = [sa.func.replace(column, f"\n{tag}\n", "") != column for tag in tags]
    if not each:
        return sa.true()
    together = sa.or_(*each) if name.endswith("any") else sa.and_(*each)
    return sa.not_(together) if name.startswith("not") else together


def _order(listing: Listing, query: Query) -> list[tuple[str, bool]]:
    """Names of columns, with True for descending; the id makes the order total."""
    keys, directions = query.all("sort_key"), query.all("sort_dir")
    if directions and len(directions) != len(keys):
        raise BadRequest("The number of sort_keys and sort_dirs must be same", type="HTTPBadRequest")
    order = []
    for i, key in enumerate(keys):
        column = listing.attributes.get(key)
        if column is None:
            raise BadRequest(f"[{key!r}] is invalid attribute for sort keys", type="HTTPBadRequest")
        direction = directions[i] if directions else "asc"
        if direction not in ("asc", "desc"):
            raise BadRequest(f"sort_dir must be asc or desc, not {direction!r}.", type="HTTPBadRequest")
        order.append((str(column.name), direction == "desc"))
    if "id" not in dict(order):
        order.append(("id", False))
    return order


def _comparable(column: Any) -> Any:
    """The column as something that has an order on both engines: nothing comes first, false before true."""
    if isinstance(column.type, sa.Boolean):
        return sa.cast(column, sa.Integer)
    if column.nullable:
        return sa.func.coalesce(column, -1 if isinstance(column.type, sa.Integer) else "")
    return column


def _after(tx: Tx, listing: Listing, marker: str | None, order: list[tuple[str, bool]]) -> list[Any] | None:
    """What the marker's row has where the order looks."""
    if marker is None:
        return None
    keys = [_comparable(listing.table.c[name]).label(f"k{i}") for i, (name, _) in enumerate(order)]
    row: Any = tx.first(sa.select(*keys).where(listing.table.c.id == marker))
    if row is None:
        raise missing(listing.what, marker)
    return [getattr(row, f"k{i}") for i in range(len(keys))]


def find(tx: Tx, listing: Listing, id: str) -> Any:
    return tx.first(sa.select(listing.table).where(listing.table.c.id == id), listing.record)


def change(tx: Tx, table: sa.Table, id: str, changes: Mapping[str, Any]) -> None:
    """Set columns; the revision counts up with every change."""
    values = dict(changes) | {"updated_at": clock.timestamp(), "revision": table.c.revision + 1}
    tx.execute(table.update().where(table.c.id == id).values(values))


def remove(tx: Tx, table: sa.Table, id: str) -> int:
    return tx.execute(table.delete().where(table.c.id == id))


def count(tx: Tx, table: sa.Table, *where: Any) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(*where)))


# ---- numbers from a range ----------------------------------------------------------------------------------------

WINDOWS = (16, 256, 2048)
"""How many numbers are looked at in one question: few while there is room, more when it gets full."""
PROBE_LIMIT = 1 << 20
"""Numbers looked at before the range counts as exhausted."""


def take_number(tx: Tx, name: str, size: int, taken: Callable[[list[int]], set[int]]) -> int | None:
    """The next free number in 0…size-1 after the one taken last; None when there is none.

    Callers hold a lock of that name, or have a unique constraint that catches a second taker.
    """
    start = tx.scalar(sa.select(cursors.c.next).where(cursors.c.name == name)) or 0
    seen, step = 0, 0
    while seen < min(size, PROBE_LIMIT):
        window = min(WINDOWS[min(step, len(WINDOWS) - 1)], size - seen)
        candidates = [(start + seen + i) % size for i in range(window)]
        used = taken(candidates)
        for candidate in candidates:
            if candidate not in used:
                tx.upsert(cursors, {"name": name, "next": (candidate + 1) % size}, keys=("name",))
                return candidate
        seen, step = seen + window, step + 1
    return None


def forget_cursor(tx: Tx, name: str) -> None:
    tx.execute(cursors.delete().where(cursors.c.name == name))
