"""What only the PostgreSQL engine does: few journeys to the server, and the same answers as with many."""

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from pilvi.kernel import db
from pilvi.kernel.db import Shaped, Tx
from pilvi.kernel.errors import BadRequest, Unavailable
from pilvi.kernel.postgres import PostgresDatabase
from pilvi.kernel.postgres_session import PREPARED_MOST, native, text_of
from pilvi.ops.scratch_postgres import scratch_postgres

own = sa.MetaData()
things = sa.Table("things", own, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(40)))
FIRST = Shaped(("things first",), lambda: sa.select(things.c.name).where(things.c.id == sa.literal_column("1")), {})
COUNT = sa.select(sa.func.count()).select_from(things)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresDatabase]:
    monkeypatch.setattr(db, "asked_first", [FIRST])
    with scratch_postgres() as url:
        made = PostgresDatabase(url)
        made.script("create table things (id integer primary key, name varchar(40))")
        made.write(lambda tx: tx.insert(things, {"id": 1, "name": "one"}))
        yield made
        made.close()


def rename(database: PostgresDatabase, name: str) -> None:
    database.write(lambda tx: tx.execute(things.update().where(things.c.id == 1).values(name=name)))


def journeys(database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    from pilvi.kernel.postgres_session import Session

    word, ask = Session.word, Session.ask

    def spy_word(self: Session, text: str) -> object:
        seen.append(text)
        return word(self, text)

    def spy_ask(self: Session, statement: object, values: object) -> object:
        seen.append("ask")
        return ask(self, statement, values)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "word", spy_word)
    monkeypatch.setattr(Session, "ask", spy_ask)
    return seen


def test_work_that_asks_more_has_one_state_for_all_of_it(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = journeys(database, monkeypatch)

    def work(tx: Tx) -> tuple[str, int]:
        return tx.scalar(FIRST), tx.scalar(COUNT)

    for _ in range(3):
        seen.clear()
        assert database.read(work) == ("one", 1)
        assert len(seen) == 3  # the beginning with the first question, the second, the end


def test_a_statement_is_prepared_when_it_comes_again_and_never_too_many(database: PostgresDatabase) -> None:
    def many(tx: Tx) -> int:
        for length in range(1, PREPARED_MOST + 20):
            statement = sa.select(things.c.name).where(things.c.id.in_(list(range(length))))
            for _ in range(4):
                tx.all(statement)
        return int(tx.scalar(sa.text("select count(*) from pg_prepared_statements").columns(sa.column("n"))))

    assert 0 < database.read(many) <= PREPARED_MOST


@pytest.mark.parametrize("value", ["", "it's", "%(x)s %% $1", "é☃😀", "a\\b\n", "x" * 40])
def test_a_text_comes_back_as_it_was(database: PostgresDatabase, value: str) -> None:
    rename(database, value)
    assert database.read(lambda tx: tx.scalar(FIRST)) == value


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x" * 41])
def test_a_text_that_cannot_be_kept_is_refused_and_changes_nothing(database: PostgresDatabase, value: str) -> None:
    with pytest.raises(BadRequest):
        rename(database, value)
    assert database.read(lambda tx: tx.scalar(FIRST)) == "one"


def test_a_statement_that_failed_and_was_passed_over_is_no_commit(database: PostgresDatabase) -> None:
    def work(tx: Tx) -> None:
        tx.execute(things.update().values(name="lost"))
        with pytest.raises(psycopg.Error):
            tx._connection.run("select nothing", {})

    with pytest.raises(Unavailable):
        database.write(work)
    assert database.read(lambda tx: tx.scalar(FIRST)) == "one"


def test_a_broken_connection_is_replaced(database: PostgresDatabase) -> None:
    kill = "select pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(Unavailable):
        database.read(lambda tx: tx._connection.run(kill, {}))
    assert database.read(lambda tx: tx.scalar(FIRST)) == "one"


def test_values_have_the_servers_form() -> None:
    assert [text_of(v) for v in (None, True, False, 7, 1.5, "é", b"\x00\xff")] == [
        None, b"t", b"f", b"7", b"1.5", "é".encode(), b"\\x00ff",
    ]  # fmt: skip
    with pytest.raises(TypeError):
        text_of([1])


def test_a_place_has_one_number_however_often_it_stands() -> None:
    found = native("select %(a)s, %(b)s, %(a)s, '100%%'")
    assert (found.sql, found.names) == (b"select $1, $2, $1, '100%'", ("a", "b"))
