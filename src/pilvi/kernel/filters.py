"""Lists filtered, ordered and paged from a query string, in SQL: `name__contains=`, `enabled=`, limit, marker."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from pilvi.kernel.db import Shaped, Tx
from pilvi.kernel.paging import Page, cut
from pilvi.kernel.query import Query
from pilvi.kernel.wire import boolean

T = TypeVar("T")

LIST_LIMIT = 10_000
"""Rows in one answer at most; the rest is reached by the next link."""


Condition = Callable[[Any, Any], Any]
"""From a column and a parameter to what must be true."""


_FIRST: Any = sa.literal_column("1")


def _starts(column: Any, value: Any) -> Any:
    return sa.func.substr(column, _FIRST, sa.func.length(value)) == value


def _ends(column: Any, value: Any) -> Any:
    return (
        sa.func.substr(column, sa.func.length(column) - sa.func.length(value) + _FIRST, sa.func.length(value)) == value
    )


def _contains(column: Any, value: Any) -> Any:
    return sa.func.replace(column, value, sa.literal_column("''")) != column


def _equals(column: Any, value: Any) -> Any:
    return column == value


OPERATORS: dict[str, Condition] = {
    "equals": _equals,
    "contains": _contains,
    "startswith": _starts,
    "endswith": _ends,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """One condition of a query string. Two with the same column and operator make the same SQL."""

    name: str
    operator: str
    value: Any

    def holds(self, column: Any, parameter: Any) -> Any:
        """An `i` before the operator means that case does not matter; the value has been lowered already."""
        if self.operator.startswith("i"):
            return OPERATORS[self.operator[1:]](sa.func.lower(column), parameter)
        return OPERATORS[self.operator](column, parameter)


def wishes(query: Query, columns: Mapping[str, Any]) -> list[Wish]:
    """What the query string demands of these columns (wire name → column); unknown parameters do not count."""
    found = []
    for key, value in query.pairs:
        name, _, operator = key.partition("__")
        column = columns.get(name)
        if column is None:
            continue
        if isinstance(column.type, sa.Boolean):
            found.append(Wish(name, "equals", True if value == "" else boolean(value)))
        elif not operator:
            found.append(Wish(name, "equals", value))
        elif operator in OPERATORS:
            found.append(Wish(name, operator, value))
        elif operator.startswith("i") and operator[1:] in OPERATORS:
            found.append(Wish(name, operator, value.lower()))
    return found


def page(
    tx: Tx,
    table: sa.Table,
    into: Callable[..., T],
    query: Query,
    columns: Mapping[str, Any],
    where: Iterable[Any] = (),
    **fixed: Any,
) -> Page[T]:
    """The rows that match, ordered by id, after the marker, at most `limit` of them.

    `fixed` says what columns of the table must be, whatever the client asks. `where` holds further conditions; a list
    without any costs least.
    """
    limit = query.limit(most=LIST_LIMIT) or LIST_LIMIT
    wanted = wishes(query, columns)
    marker = query.get("marker")
    values = {f"w{i}": wish.value for i, wish in enumerate(wanted)}
    values |= {f"f_{name}": value for name, value in fixed.items()}
    values |= {"page_rows": limit + 1} | ({"page_marker": marker} if marker else {})

    def build() -> Any:
        statement = sa.select(table).where(*where)
        for name in fixed:
            statement = statement.where(table.c[name] == sa.bindparam(f"f_{name}", type_=table.c[name].type))
        for i, wish in enumerate(wanted):
            column = columns[wish.name]
            statement = statement.where(wish.holds(column, sa.bindparam(f"w{i}", type_=column.type)))
        if marker:
            statement = statement.where(table.c.id > sa.bindparam("page_marker", type_=sa.String))
        return statement.order_by(table.c.id).limit(sa.bindparam("page_rows", type_=sa.Integer))

    shape = tuple((wish.name, wish.operator) for wish in wanted)
    key = None if where else ("filters.page", table.name, shape, *fixed, bool(marker))
    return cut(tx.all(Shaped(key, build, values), into), limit)
