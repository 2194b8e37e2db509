"""Statements that are built once: their values change from call to call, and nothing else may."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pilvi.kernel.db import Database, Shaped, Tx, among, connect

shapes = sa.Table("test_shapes", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = connect(str(tmp_path / "shapes.db"))
    found.script("create table test_shapes (id integer primary key); insert into test_shapes values (1), (2), (3)")
    yield found
    found.close()


def above(least: int, built: list[int], key: tuple[Any, ...] | None = ("above",)) -> Shaped:
    def build() -> sa.Select[Any]:
        built.append(least)
        return sa.select(shapes.c.id).where(shapes.c.id > sa.bindparam("least")).limit(sa.bindparam("rows"))

    return Shaped(key, build, {"least": least, "rows": 10})


def test_a_shape_is_built_once_and_its_values_are_of_each_call(database: Database) -> None:
    built: list[int] = []
    found = [database.read(lambda tx, n=n: tx.scalars(above(n, built))) for n in (0, 1, 2)]  # type: ignore[misc]
    assert found == [[1, 2, 3], [2, 3], [3]]
    assert built == [0]


def test_without_a_key_it_is_built_each_time(database: Database) -> None:
    built: list[int] = []
    found = [database.read(lambda tx, n=n: tx.scalars(above(n, built, None))) for n in (0, 2)]  # type: ignore[misc]
    assert found == [[1, 2, 3], [3]]
    assert built == [0, 2]


def test_a_value_inside_a_shape_is_refused(database: Database) -> None:
    shaped = Shaped(("frozen",), lambda: sa.select(shapes.c.id).where(shapes.c.id > 1), {})
    with pytest.raises(AssertionError, match="values that later calls would get too"):
        database.read(lambda tx: tx.scalars(shaped))


def test_a_list_goes_as_one_parameter(database: Database) -> None:
    words = sa.Table("test_words", sa.MetaData(), sa.Column("word", sa.String(9), primary_key=True))
    database.script(
        "create table test_words (word text primary key); insert into test_words values ('a'), ('b'), ('c')"
    )

    def ask(tx: Tx, wanted: list[str]) -> list[str]:
        query = Shaped(("words",), lambda: sa.select(words.c.word).where(among(tx, words.c.word, "w")), {"w": wanted})
        return sorted(tx.scalars(query))

    assert [database.read(lambda tx, w=w: ask(tx, w)) for w in ([], ["a"], ["c", "x", "a"])] == [[], ["a"], ["a", "c"]]  # type: ignore[misc]


def test_a_limit_on_sqlite_is_an_expression_so_that_it_is_planned_once(database: Database) -> None:
    limited = [sa.select(shapes.c.id).limit(2), sa.select(shapes.c.id).offset(1), above(0, [])]
    for statement in limited:
        assert " + 0 OFFSET " in database.compiler.compile(statement)[2]
    assert [database.read(lambda tx, s=s: tx.scalars(s)) for s in limited] == [[1, 2], [2, 3], [1, 2, 3]]  # type: ignore[misc]
