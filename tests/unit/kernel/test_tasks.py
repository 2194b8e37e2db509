"""Tasks: who waits lets others go on, and is told when it was too long."""

import os
import select
from collections.abc import Iterator

import pytest
from greenlet import getcurrent, greenlet

from pilvi.kernel.tasks import Tasks

LONG_S = 60.0


class Loop:
    """An epoll with tasks, and a pipe that they wait for."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.tasks = Tasks(self.epoll)
        self.out, self.into = os.pipe()
        self.seen: list[str] = []
        self.tasks.watch(self.out, lambda: self.seen.append("idle " + os.read(self.out, 99).decode()))

    def turn(self) -> None:
        for number, _ in self.epoll.poll(0):
            self.tasks.has_come(number)
        self.tasks.go_on()

    def read_one(self) -> None:
        self.tasks.wait(self.out, LONG_S)
        self.seen.append(os.read(self.out, 1).decode())


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.tasks.forget(made.out)
    os.close(made.out)
    os.close(made.into)
    made.epoll.close()


def test_a_task_that_waits_for_nothing_has_ended(loop: Loop) -> None:
    loop.tasks.run(loop.seen.append, "done")
    assert loop.seen == ["done"]
    assert loop.tasks.sweep_s is None


def test_a_task_goes_on_when_its_descriptor_has_something(loop: Loop) -> None:
    loop.tasks.run(loop.read_one)
    loop.turn()
    assert loop.seen == []
    loop.tasks.run(loop.seen.append, "another")
    os.write(loop.into, b"x")
    loop.turn()
    assert loop.seen == ["another", "x"]
    assert loop.tasks.sweep_s is None


def test_what_comes_for_nobody_is_for_the_owner(loop: Loop) -> None:
    os.write(loop.into, b"unasked")
    loop.turn()
    assert loop.seen == ["idle unasked"]


def test_who_waits_too_long_is_told(loop: Loop) -> None:
    def wait_in_vain() -> None:
        with pytest.raises(TimeoutError):
            loop.tasks.wait(loop.out, 0.0)
        with pytest.raises(TimeoutError):
            loop.tasks.park(0.0)
        loop.seen.append("told twice")

    loop.tasks.run(wait_in_vain)
    assert loop.tasks.sweep_s
    loop.tasks.sweep(1e12)
    loop.tasks.sweep(2e12)
    assert loop.seen == ["told twice"]
    assert loop.tasks.sweep_s is None


def test_parked_ones_go_on_when_woken_and_never_twice(loop: Loop) -> None:
    parked: list[greenlet] = []

    def park(name: str) -> None:
        parked.append(getcurrent())
        loop.tasks.park(LONG_S)
        loop.seen.append(name)

    loop.tasks.run(park, "a")
    loop.tasks.run(park, "b")
    for _ in range(2):
        loop.tasks.wake(parked[1])
    loop.tasks.sweep(0.0)
    loop.turn()
    assert loop.seen == ["b"]
    loop.tasks.wake(parked[0])
    loop.turn()
    assert loop.seen == ["b", "a"]


def test_hundreds_of_tasks_need_few_greenlets(loop: Loop) -> None:
    used: set[greenlet] = set()
    for _ in range(300):
        loop.tasks.run(lambda: used.add(getcurrent()))
    assert len(used) == 1
