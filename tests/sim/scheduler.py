"""One thread, one clock, one source of chance. Tasks take turns; a process may die at any of its steps.

Tasks are greenlets: ordinary functions that stop where they wait, call a driver, send a message or commit. Between two
such steps nothing else runs, so a seed decides everything.
"""

import asyncio
import hashlib
import heapq
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

EPOCH_S = 1_800_000_000.0
"""What the simulated clocks show at the beginning."""


@dataclass(eq=False)
class Process:
    """What dies as one. Its wall clock may be wrong."""

    name: str
    alive: bool = True
    clock_offset_s: float = 0.0
    clock_was_wrong: bool = False
    """Leases that it took may end at any time."""
    doom: "Doom | None" = None
    tasks: "dict[int, Task]" = field(default_factory=dict)
    on_death: list[Callable[[], None]] = field(default_factory=list)


@dataclass
class Doom:
    """The process dies at the so-manieth step whose kind starts like this, whenever that comes."""

    kind: str
    countdown: int = 1


@dataclass(eq=False)
class Task:
    name: str
    process: Process | None
    run: greenlet
    number: int
    turn: int = 0
    """Counts wake-ups: a timer that was set for an earlier one is void."""


class Trace:
    """What happened, as a hash, and as text where somebody wants to read it."""

    def __init__(self, *, keep: bool = False) -> None:
        self.lines: list[str] | None = [] if keep else None
        self._hash = hashlib.sha256()
        self.count = 0

    def add(self, line: str) -> None:
        self.count += 1
        self._hash.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    def digest(self) -> str:
        return self._hash.hexdigest()[:16]


class Scheduler:
    def __init__(self, seed: int, *, keep_trace: bool = False) -> None:
        self.rng = random.Random(seed)
        self.slow_share = self.rng.choice((0.005, 0.03, 0.1))
        """How many steps take a second instead of a millisecond: races need somebody who is late."""
        self.now = 0.0
        self.steps = 0
        self.trace = Trace(keep=keep_trace)
        self.failures: list[tuple[str, BaseException]] = []
        """Tasks that ended with an exception: nothing of ours should."""
        self.over = False
        self._hub = getcurrent()
        self._queue: list[tuple[float, float, int, Task | None, int, Callable[[], None] | None]] = []
        self._count = 0
        self._tasks: dict[greenlet, Task] = {}
        self._graves: list[greenlet] = []

    # -- tasks -----------------------------------------------------------------------------------------------------

    def spawn(self, name: str, work: Callable[[], Any], process: Process | None = None) -> Task:
        self._count += 1
        task = Task(name, process, greenlet(lambda: self._guard(task, work), self._hub), self._count)
        self._tasks[task.run] = task
        if process is not None:
            process.tasks[task.number] = task
        self._push(self.rng.random() * 0.001, task)
        return task

    def _guard(self, task: Task, work: Callable[[], Any]) -> None:
        try:
            work()
        except GreenletExit:
            raise
        except BaseException as error:
            self.failures.append((task.name, error))
        finally:
            self._tasks.pop(task.run, None)
            if task.process is not None:
                task.process.tasks.pop(task.number, None)

    def _push(self, after_s: float, task: Task | None, call: Callable[[], None] | None = None) -> None:
        self._count += 1
        turn = 0 if task is None else task.turn
        heapq.heappush(self._queue, (self.now + after_s, self.rng.random(), self._count, task, turn, call))

    def later(self, after_s: float, call: Callable[[], None]) -> None:
        """Something that happens by itself, such as a message that arrives. It must not wait."""
        self._push(after_s, None, call)

    def current(self) -> Task | None:
        return self._tasks.get(getcurrent())

    @property
    def process(self) -> Process | None:
        task = self.current()
        return None if task is None else task.process

    # -- what tasks call -------------------------------------------------------------------------------------------

    def point(self, kind: str, detail: str = "", *, slow: bool = True) -> None:
        """A step: others may run here, time passes, and the process may die."""
        task = self._mine()
        self.say(kind, detail)
        self.die_if_doomed(kind)
        wait_s = self.rng.expovariate(1000.0)
        if slow and self.rng.random() < self.slow_share:
            wait_s = self.rng.expovariate(1.0)
        self._rest(task, wait_s)

    def sleep(self, seconds: float) -> None:
        self._rest(self._mine(), seconds)

    def die_if_doomed(self, kind: str) -> None:
        process = self.process
        doom = None if process is None else process.doom
        if doom is None or process is None or not kind.startswith(doom.kind):
            return
        doom.countdown -= 1
        if doom.countdown <= 0:
            self.kill(process)

    def _mine(self) -> Task:
        if self.over:
            raise GreenletExit
        task = self.current()
        assert task is not None, "only tasks may wait"
        return task

    def _rest(self, task: Task, seconds: float) -> None:
        self._push(max(0.0, seconds), task)
        self._switch()

    def _switch(self) -> None:
        """To the hub and back. An event loop belongs to the task that runs in it, not to the thread."""
        loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        self._hub.switch()
        asyncio._set_running_loop(loop)
        if self.over:
            raise GreenletExit

    def park(self) -> None:
        """Until somebody wakes the task."""
        self._mine()
        self._switch()

    def wake(self, task: Task, after_s: float | None = None) -> None:
        self._push(self.rng.random() * 0.001 if after_s is None else after_s, task)

    def say(self, kind: str, detail: str = "") -> None:
        process = self.process
        task = self.current()
        who = process.name if process is not None else task.name if task is not None else "-"
        self.trace.add(f"{self.now:12.6f} {who} {kind} {detail}".rstrip())

    # -- death -----------------------------------------------------------------------------------------------------

    def kill(self, process: Process) -> None:
        """At once, wherever its tasks are. They never run again."""
        if not process.alive:
            return
        self.say("dies", process.name)
        process.alive = False
        for task in process.tasks.values():
            self._graves.append(task.run)
            task.turn += 1
        for tell in process.on_death:
            tell()
        if self.process is process:
            self._switch()

    # -- the hub ---------------------------------------------------------------------------------------------------

    def run(self, until: Callable[[], bool]) -> None:
        """Let things happen until that is so, or nothing is left to happen."""
        while self._queue and not until():
            at, _, _, task, turn, call = heapq.heappop(self._queue)
            if task is not None and (task.turn != turn or task.run.dead):
                continue
            if task is not None and task.process is not None and not task.process.alive:
                continue
            self.now = max(self.now, at)
            self.steps += 1
            if call is not None:
                call()
            elif task is not None:
                task.turn += 1
                task.run.switch()

    def close(self) -> None:
        """Unwind what still waits, so that nothing of this world runs in the next one."""
        self.over = True
        for run in [*self._graves, *self._tasks]:
            if not run.dead:
                run.throw(GreenletExit)
        self._queue.clear()


class Clock:
    """The clock of whichever process runs."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> float:
        process = self._scheduler.process
        return EPOCH_S + self._scheduler.now + (0.0 if process is None else process.clock_offset_s)

    def monotonic(self) -> float:
        return 1000.0 + self._scheduler.now


class Event(threading.Event):
    """`threading.Event` for tasks."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._waiting: list[Task] = []

    def set(self) -> None:
        super().set()
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._scheduler.wake(task)

    def wait(self, timeout: float | None = None) -> bool:
        task = self._scheduler._mine()
        if self.is_set():
            self._scheduler.sleep(0.0)
            return True
        self._waiting.append(task)
        if timeout is None:
            self._scheduler.park()
        else:
            self._scheduler._rest(task, timeout)
        if task in self._waiting:
            self._waiting.remove(task)
        return self.is_set()


class Jobs:
    """`queue.SimpleQueue` for tasks."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._items: list[Any] = []
        self._news = Event(scheduler)

    def put(self, item: Any) -> None:
        self._items.append(item)
        self._news.set()

    def get(self) -> Any:
        while not self._items:
            self._news.clear()
            self._news.wait()
        return self._items.pop(0)


class Lock:
    """`threading.Lock` for tasks that wait while they hold it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._held = False
        self._free = Event(scheduler)

    def __enter__(self) -> None:
        while self._held:
            self._free.clear()
            self._free.wait()
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False
        self._free.set()
