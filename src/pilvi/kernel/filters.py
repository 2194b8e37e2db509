"""Lists filtered, ordered and paged from a query string, in SQL: `name__contains=`, `enabled=`, limit, marker."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import sqlalchemy as sa

from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page, cut
from pilvi.kernel.query import Query
from pilvi.kernel.wire import boolean

T = TypeVar("T")

LIST_LIMIT = 10_000
"""Rows in one answer at most; the rest is reached by the next link."""


def _starts(column: Any, value: str) -> Any:
    return sa.func.substr(column, 1, len(value)) == value


def _ends(column: Any, value: str) -> Any:
    return sa.func.substr(column, sa.func.length(column) - len(value) + 1, len(value)) == value


def _contains(column: Any, value: str) -> Any:
    return sa.func.replace(column, value, "") != column


def _equals(column: Any, value: str) -> Any:
    return column == value


OPERATORS: dict[str, Callable[[Any, str], Any]] = {
    "equals": _equals,
    "contains": _contains,
    "startswith": _starts,
    "endswith": _ends,
}


def _text(column: Any, operator: str, value: str) -> Any:
    """One condition; an `i` before the operator means that case does not matter."""
    if operator.startswith("i") and operator[1:] in OPERATORS:
        return OPERATORS[operator[1:]](sa.func.lower(column), value.lower())
    return OPERATORS[operator](column, value)


def _condition(column: Any, operator: str, value: str) -> Any | None:
    if isinstance(column.type, sa.Boolean):
        return column == (True if value == "" else boolean(value))
    if not operator:
        return column == value
    if operator in OPERATORS or (operator.startswith("i") and operator[1:] in OPERATORS):
        return _text(column, operator, value)
    return None


def conditions(query: Query, columns: Mapping[str, Any]) -> list[Any]:
    """What the query string demands of these columns (wire name → column); unknown parameters do not count."""
    found = []
    for key, value in query.pairs:
        name, _, operator = key.partition("__")
        column = columns.get(name)
        if column is not None:
            condition = _condition(column, operator, value)
            if condition is not None:
                found.append(condition)
    return found


def page(
    tx: Tx, table: sa.Table, into: Callable[..., T], query: Query, columns: Mapping[str, Any], where: Iterable[Any] = ()
) -> Page[T]:
    """The rows that match, ordered by id, after the marker, at most `limit` of them."""
    limit = query.limit(most=LIST_LIMIT) or LIST_LIMIT
    statement = sa.select(table).where(*where, *conditions(query, columns)).order_by(table.c.id).limit(limit + 1)
    marker = query.get("marker")
    if marker:
        statement = statement.where(table.c.id > marker)
    return cut(tx.all(statement, into), limit)
