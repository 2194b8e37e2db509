"""Paging by marker, once for all lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

T = TypeVar("T")


@dataclass(slots=True)
class Page(Generic[T]):
    """Some rows of a list and whether more follow."""

    items: list[T]
    more: bool = False
    previous: bool = False


def keyset(
    statement: sa.Select[Any],
    order: Sequence[tuple[sa.ColumnElement[Any], bool]],
    *,
    after: Sequence[Any] | None,
    limit: int | None,
    reverse: bool = False,
) -> sa.Select[Any]:
    """Order, start after the marker's values, and ask for one row more than the limit.

    `order` holds columns with True for descending and ends in a unique column; `after` holds the marker row's values
    of the same columns. NULLs sort as lowest on both engines.
    """
    if reverse:
        order = [(column, not descending) for column, descending in order]
    if after is not None:
        branches = []
        for i, (column, descending) in enumerate(order):
            same = [
                sa.func.coalesce(c, "") == ("" if v is None else v) if v is None else c == v
                for (c, _), v in zip(order[:i], after, strict=False)
            ]
            value = after[i]
            if value is None:
                further: Any = sa.false() if descending else column.is_not(None)
            else:
                further = sa.or_(column < value, column.is_(None)) if descending else column > value
            branches.append(sa.and_(*same, further))
        statement = statement.where(sa.or_(*branches))
    for column, descending in order:
        statement = statement.order_by(sa.nulls_last(column.desc()) if descending else sa.nulls_first(column.asc()))
    return statement if limit is None else statement.limit(limit + 1)


def cut(rows: list[T], limit: int | None, *, reverse: bool = False) -> Page[T]:
    """Drop the row that was asked for only to know whether more follow."""
    more = limit is not None and len(rows) > limit
    items = rows[:limit] if more else rows
    if reverse:
        items.reverse()
    return Page(items, more=more)
