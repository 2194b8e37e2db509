"""The work table and its runner: nothing is lost, nothing is done twice at once, on both engines."""

import threading
from itertools import pairwise

import pytest

from pilvi.kernel import clock, work
from pilvi.kernel.clock import SystemClock
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.errors import NotYet
from pilvi.kernel.loop import LEASE_S, Loop, Runner


class Watch(SystemClock):
    """Time that tests move."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture(autouse=True)
def owned_time(watch: Watch):  # type: ignore[no-untyped-def]
    former = clock.use(watch)
    yield
    clock.use(former)


def poke(database: Database, key: str) -> None:
    database.write(lambda tx: work.poke(tx, "thing", key, "req-1"))


def rows(database: Database) -> list[str]:
    return [item.key for item in database.read(lambda tx: work.pending(tx, "thing"))]


def test_a_poked_key_is_looked_at_once(database: Database) -> None:
    seen: list[str] = []
    runner = Runner(database, [Loop("thing", lambda _, key: seen.append(key))])
    poke(database, "a")
    poke(database, "a")
    runner.turn()
    runner.turn()
    assert seen == ["a"]
    assert rows(database) == []


def test_a_rolled_back_need_is_no_need(database: Database) -> None:
    def fail(tx: Tx) -> None:
        work.poke(tx, "thing", "a")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(fail)
    assert rows(database) == []


def test_a_poke_during_the_look_makes_another_look(database: Database) -> None:
    seen: list[str] = []

    def look(db: Database, key: str) -> None:
        seen.append(key)
        if len(seen) == 1:
            poke(db, key)

    runner = Runner(database, [Loop("thing", look)])
    poke(database, "a")
    runner.turn()
    assert rows(database) == ["a"]
    runner.turn()
    assert (seen, rows(database)) == (["a", "a"], [])


def test_not_yet_waits_and_keeps_the_row(database: Database, watch: Watch) -> None:
    seen: list[float] = []

    def look(_: Database, key: str) -> None:
        seen.append(clock.now())
        if len(seen) < 3:
            raise NotYet(10.0, "something")

    runner = Runner(database, [Loop("thing", look)])
    poke(database, "a")
    for _ in range(5):
        runner.turn()
        watch.at += 6.0
    assert len(seen) == 3
    assert rows(database) == []


def test_a_failure_is_tried_again_with_growing_delay(database: Database, watch: Watch) -> None:
    seen: list[float] = []

    def look(_: Database, key: str) -> None:
        seen.append(clock.now())
        raise ValueError("broken")

    runner = Runner(database, [Loop("thing", look)])
    poke(database, "a")
    for _ in range(60):
        runner.turn()
        watch.at += 1.0
    gaps = [later - sooner for sooner, later in pairwise(seen)]
    assert gaps == sorted(gaps)
    assert rows(database) == ["a"]


def test_what_a_dead_runner_held_is_taken_over_after_its_lease(database: Database, watch: Watch) -> None:
    seen: list[str] = []
    dead = Runner(database, [Loop("thing", lambda _, key: None)])
    poke(database, "a")
    database.write(lambda tx: work.claim(tx, ["thing"], dead.owner, lease_s=LEASE_S, limit=1))
    alive = Runner(database, [Loop("thing", lambda _, key: seen.append(key))])
    alive.turn()
    assert seen == []
    watch.at += LEASE_S + 1
    alive.turn()
    assert (seen, rows(database)) == (["a"], [])


def test_two_runners_at_once_never_hold_the_same_key(database: Database) -> None:
    held: set[str] = set()
    twice: list[str] = []
    guard = threading.Lock()

    def look(_: Database, key: str) -> None:
        with guard:
            if key in held:
                twice.append(key)
            held.add(key)

    for number in range(40):
        poke(database, str(number))
    runners = [Runner(database, [Loop("thing", look)]) for _ in range(3)]

    def drain(runner: Runner) -> None:
        while runner.turn(limit=4):
            pass

    threads = [threading.Thread(target=drain, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert twice == []
    assert len(held) == 40
    assert rows(database) == []


def test_the_sweep_finds_what_nobody_poked(database: Database) -> None:
    seen: list[str] = []
    runner = Runner(database, [Loop("thing", lambda _, key: seen.append(key), sweep=lambda tx: ["lost"])])
    runner.turn()
    assert seen == ["lost"]
