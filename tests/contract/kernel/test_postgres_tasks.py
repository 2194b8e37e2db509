"""Reads within a moment on PostgreSQL: they wait without holding up their thread, and what they see is one state."""

import select
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from pilvi.kernel import at_once, clock, db, postgres_tasks
from pilvi.kernel.at_once import MustWait
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound, Unavailable
from pilvi.kernel.postgres import PostgresDatabase
from pilvi.kernel.postgres_tasks import SESSIONS_MOST, Moment, Swift
from pilvi.kernel.tasks import Tasks
from pilvi.ops.scratch_postgres import scratch_postgres
from tests.contract.kernel.test_postgres import COUNT, FIRST, things

SOON_S = 30.0
SLEEP = sa.select(sa.func.pg_sleep(1.0))


class Loop:
    """A loop as the server's: it runs reads as tasks and keeps what they come to."""

    def __init__(self, database: PostgresDatabase) -> None:
        self.database = database
        self.epoll = select.epoll()
        self.tasks = Tasks(self.epoll)
        self.results: list[Any] = []
        self.count = 0

    def start(self, moment: Moment, work: Callable[[Tx], Any]) -> None:
        self.count += 1
        self.tasks.run(self._try, moment, work)

    def _try(self, moment: Moment, work: Callable[[Tx], Any]) -> None:
        at_once.moment.set(moment)
        try:
            self.results.append(self.database.read(work))
        except (MustWait, NotFound) as error:
            self.results.append(type(error))

    def moment(self) -> Moment:
        return self.database.moment(self.tasks)

    def finish(self) -> list[Any]:
        """What all that were started come to, in the order of their ends."""
        self.turn_until(lambda: len(self.results) == self.count)
        found, self.results, self.count = self.results, [], 0
        return found

    def turn_until(self, is_so: Callable[[], bool]) -> None:
        ends_at = clock.monotonic() + SOON_S
        while not is_so():
            assert clock.monotonic() < ends_at
            for number, _ in self.epoll.poll(0.05):
                self.tasks.has_come(number)
            self.tasks.go_on()
            self.tasks.sweep(clock.monotonic())

    def take_all_sessions(self) -> None:
        """By tasks that come to "slow"."""
        asleep: list[int] = []

        def sleep(tx: Tx) -> str:
            asleep.append(tx.scalar(COUNT))
            tx.all(SLEEP)
            return "slow"

        for _ in range(SESSIONS_MOST):
            self.start(self.moment(), sleep)
        self.turn_until(lambda: len(asleep) == SESSIONS_MOST)

    def read(self, work: Callable[[Tx], Any]) -> Any:
        self.start(self.moment(), work)
        return self.finish()[0]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with scratch_postgres() as made:
        yield made


@pytest.fixture
def loop(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    monkeypatch.setattr(db, "asked_first", [FIRST])
    database = PostgresDatabase(url)
    database.script("create table things (id integer primary key, name varchar(40))")
    database.write(lambda tx: tx.insert(things, {"id": 1, "name": "one"}))
    made = Loop(database)
    while made.read(first) is MustWait:  # Workers lend sessions when they are wanted.
        database.read(first)
    yield made
    made.epoll.close()
    database.close()
    again = PostgresDatabase(url)
    again.script("drop table things")
    again.close()


def first(tx: Tx) -> Any:
    return tx.scalar(FIRST)


def more(tx: Tx) -> Any:
    return tx.scalar(FIRST), tx.scalar(COUNT)


def rename(loop: Loop, name: str) -> None:
    """In a thread of its own, as workers write."""

    def write() -> None:
        loop.database.write(lambda tx: tx.execute(things.update().where(things.c.id == 1).values(name=name)))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(SOON_S)


def spied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements each message had."""
    seen: list[int] = []
    ask = Swift.ask

    def spy(self: Swift, *statements: Any) -> Any:
        seen.append(len(statements))
        return ask(self, *statements)

    monkeypatch.setattr(Swift, "ask", spy)
    return seen


def lend_all(loop: Loop) -> None:
    while loop.database._sessions._count < SESSIONS_MOST:
        loop.start(loop.moment(), lambda tx: tx.all(SLEEP) and None)
        loop.start(loop.moment(), lambda tx: tx.all(SLEEP) and None)
        for _ in range(SESSIONS_MOST):
            loop.database.read(first)
        loop.finish()


def test_all_of_a_moment_share_one_question(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = spied(monkeypatch)
    moment = loop.moment()
    for _ in range(20):
        loop.start(moment, first)
    assert loop.finish() == ["one"] * 20
    assert seen == [1]
    rename(loop, "two")
    assert loop.read(first) == "two"


def test_who_asks_more_has_one_state_for_all_of_it(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = spied(monkeypatch)
    assert loop.read(more) == ("one", 1)
    assert seen == [1, 3]  # the first question; the beginning of a transaction, the first again and the second


def test_a_transaction_that_only_read_is_ended_by_the_next_or_after_a_while(loop: Loop) -> None:
    def is_open() -> list[bool]:
        return [swift.left_at is not None for swift in loop.database._sessions._idle]

    lend_all(loop)
    for _ in range(4):
        assert loop.read(more) == ("one", 1)
        assert any(is_open())
    loop.turn_until(lambda: not any(is_open()))
    loop.turn_until(lambda: not any(swift._is_behind for swift in loop.database._sessions._idle))
    rename(loop, "two")
    assert loop.read(more) == ("two", 1)


def test_all_that_were_left_are_ended_whenever_each_was_left(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    lend_all(loop)
    monkeypatch.setattr(postgres_tasks, "OPEN_S", 0.3)
    sessions = loop.database._sessions
    for _ in range(SESSIONS_MOST):  # Each with another session, a little later.
        loop.start(loop.moment(), lambda tx: tx.all(SLEEP) and None)
        started = clock.monotonic()
        loop.turn_until(lambda at=started: clock.monotonic() - at > 0.1)  # type: ignore[misc]
    loop.finish()
    loop.turn_until(lambda: all(swift.left_at is None for swift in sessions._idle))


def test_ending_them_one_by_one_prepares_nothing_anew(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_tasks, "OPEN_S", 0.0)
    count = sa.text("select count(*) from pg_prepared_statements").columns(sa.column("n"))
    for _ in range(12):
        assert loop.read(more) == ("one", 1)
        loop.turn_until(lambda: all(swift.left_at is None for swift in loop.database._sessions._idle))
    assert loop.read(lambda tx: tx.scalar(count)) <= 4  # the beginning, the first question, the second, this one


def test_a_statement_that_fails_leaves_a_session_that_can_be_used(loop: Loop) -> None:
    def work(tx: Tx) -> None:
        with pytest.raises(BadRequest):
            tx.scalar(sa.select(things.c.name).where(things.c.name == "a\ud800b"))
        with pytest.raises(psycopg.Error):
            tx._connection.run("select nothing", {})
        raise NotFound("done")

    for _ in range(SESSIONS_MOST * 2):
        assert loop.read(work) is NotFound
        assert loop.read(more) == ("one", 1)


def test_what_changed_between_the_first_question_and_the_second_makes_a_worker_begin_anew(loop: Loop) -> None:
    def work(tx: Tx) -> Any:
        name = tx.scalar(FIRST)
        rename(loop, "changed")
        return name, tx.scalar(COUNT)

    assert loop.read(work) is MustWait
    assert loop.read(more) == ("changed", 1)


def test_the_thread_goes_on_while_the_server_thinks(loop: Loop) -> None:
    lend_all(loop)
    loop.start(loop.moment(), lambda tx: tx.all(SLEEP) and "slow")
    loop.start(loop.moment(), first)
    assert loop.finish() == ["one", "slow"]


def test_who_finds_no_session_waits_for_a_place(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    lend_all(loop)
    monkeypatch.setattr(postgres_tasks, "PLACE_S", SOON_S)
    loop.take_all_sessions()
    loop.start(loop.moment(), more)
    found = loop.finish()
    assert found[0] == "slow"
    assert found.count(("one", 1)) == 1


def test_who_waits_too_long_for_a_place_leaves_it_to_a_worker(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    lend_all(loop)
    monkeypatch.setattr(postgres_tasks, "PLACE_S", 0.05)
    loop.take_all_sessions()
    loop.start(loop.moment(), more)
    assert loop.finish() == [MustWait, *["slow"] * SESSIONS_MOST]
    assert loop.read(more) == ("one", 1)


def test_a_fault_of_the_work_leaves_a_session_that_can_be_used(loop: Loop) -> None:
    def work(tx: Tx) -> None:
        tx.scalar(COUNT)
        raise NotFound("nothing")

    for _ in range(SESSIONS_MOST * 3):
        assert loop.read(work) is NotFound
    assert loop.read(more) == ("one", 1)


@pytest.mark.parametrize("is_idle", [True, False])
def test_a_session_that_breaks_is_replaced(loop: Loop, is_idle: bool) -> None:
    kill = sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid()))
    if is_idle:
        others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = "
        loop.database.script(f"{others} current_database()")
    else:
        assert loop.read(lambda tx: tx.all(kill)) is MustWait
    for _ in range(50):
        if (found := loop.read(more)) is not MustWait:
            break
        try:
            loop.database.read(first)
        except Unavailable:  # The pool finds out by and by which of its own are broken.
            continue
    assert found == ("one", 1)


def test_nothing_is_written_at_once(loop: Loop) -> None:
    def write(_: Tx) -> None:
        loop.database.write(lambda tx: tx.execute(things.update().values(name="lost")))

    assert loop.read(write) is MustWait
    assert loop.read(first) == "one"


def test_statements_are_prepared_in_sessions_of_tasks_too(loop: Loop) -> None:
    names = sa.select(things.c.name).where(things.c.id == 1)
    for _ in range(SESSIONS_MOST * 4):
        assert loop.read(lambda tx: tx.scalars(names)) == ["one"]
    assert all(swift.session._names for swift in loop.database._sessions._idle)
