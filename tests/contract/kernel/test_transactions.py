"""Transactions: all or nothing, read your own writes, many writers at once, on both engines."""

import contextlib
import select
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from pilvi.kernel import at_once, quotas
from pilvi.kernel.db import Database, Duplicate, Tx
from pilvi.kernel.errors import Conflict
from pilvi.kernel.tasks import Tasks


def put(tx: Tx, name: str, limit: int) -> None:
    quotas.put(tx, "test", "p", {name: limit})


def names(database: Database) -> set[str]:
    query = sa.select(quotas.limits.c.resource).where(quotas.limits.c.service == "test")
    return set(database.read(lambda tx: tx.scalars(query)))


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def fail(tx: Tx) -> None:
        put(tx, "a", 1)
        raise ValueError

    with pytest.raises(ValueError):
        database.write(fail)
    assert names(database) == set()


def test_a_failed_member_of_a_batch_does_not_take_the_others_with_it(database: Database) -> None:
    errors: list[BaseException] = []

    def one(number: int) -> None:
        def work(tx: Tx) -> None:
            put(tx, f"n{number}", number)
            if number % 3 == 0:
                raise KeyError(number)

        try:
            database.write(work)
        except KeyError as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(errors) == 10
    assert names(database) == {f"n{n}" for n in range(30) if n % 3}


def test_a_duplicate_raises_what_the_caller_gave(database: Database) -> None:
    row = {"service": "test", "project_id": "p", "resource": "r", "limit": 1}
    database.write(lambda tx: tx.insert(quotas.limits, row))
    with pytest.raises(Conflict, match="taken"):
        database.write(lambda tx: tx.insert(quotas.limits, row, duplicate=Conflict("taken")))
    with pytest.raises(Duplicate):
        database.write(lambda tx: tx.insert(quotas.limits, row))


def test_one_shape_of_statement_serves_every_value(database: Database) -> None:
    for name in ("a", "b", "c"):
        database.write(lambda tx, name=name: put(tx, name, 1))  # type: ignore[misc]

    def look(tx: Tx, wanted: list[str]) -> set[str]:
        query = sa.select(quotas.limits.c.resource).where(quotas.limits.c.resource.in_(wanted))
        return set(tx.scalars(query))

    assert database.read(lambda tx: look(tx, ["a"])) == {"a"}
    assert database.read(lambda tx: look(tx, ["a", "b", "x"])) == {"a", "b"}
    assert database.read(lambda tx: look(tx, [])) == set()


def test_after_commit_runs_only_after_a_commit(database: Database) -> None:
    done: list[str] = []

    def good(tx: Tx) -> None:
        tx.after_commit(lambda: done.append("good"))

    def bad(tx: Tx) -> None:
        tx.after_commit(lambda: done.append("bad"))
        raise ValueError

    database.write(good)
    with pytest.raises(ValueError):
        database.write(bad)
    assert done == ["good"]


def test_a_lock_makes_check_then_write_safe(database: Database) -> None:
    """Without the lock two transactions could both count nine and both add the tenth."""

    def add(number: int) -> None:
        def work(tx: Tx) -> None:
            tx.lock("test")
            query = sa.select(sa.func.count()).select_from(quotas.limits).where(quotas.limits.c.service == "test")
            if (tx.scalar(query) or 0) < 10:
                put(tx, f"n{number}", 0)

        database.write(work)

    threads = [threading.Thread(target=add, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(names(database)) == 10


def in_a_moment(database: Database, *works: Callable[[], None]) -> None:
    """As the server runs what came at once."""
    epoll = select.epoll()
    tasks = Tasks(epoll)
    with database.moment(tasks) as moment:

        def task(work: Callable[[], None]) -> None:
            at_once.moment.set(moment)
            with contextlib.suppress(at_once.MustWait):
                work()

        for work in works:
            tasks.run(task, work)
    epoll.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_reads_in_a_moment_shares_one_look(database: Database) -> None:
    seen: list[set[str]] = []

    def look() -> None:
        seen.append(names(database))

    def meanwhile() -> None:
        thread = threading.Thread(target=lambda: database.write(lambda tx: put(tx, "new", 1)))
        thread.start()
        thread.join(60)

    in_a_moment(database, look, meanwhile, look)
    in_a_moment(database, look)
    assert seen == [set(), set(), {"new"}]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_moment_in_which_a_work_failed_is_as_good_as_another(database: Database) -> None:
    seen: list[set[str]] = []

    def fail() -> None:
        with pytest.raises(ZeroDivisionError):
            database.read(lambda tx: 1 / 0)

    in_a_moment(database, fail, lambda: seen.append(names(database)))
    database.write(lambda tx: put(tx, "new", 1))
    in_a_moment(database, lambda: seen.append(names(database)))
    assert seen == [set(), {"new"}]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_is_written_in_a_moment(database: Database) -> None:
    in_a_moment(database, lambda: database.write(lambda tx: put(tx, "new", 1)))
    assert names(database) == set()
