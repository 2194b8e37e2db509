"""Tasks: work of one thread that may wait for sockets; meanwhile the thread goes on with other tasks.

A task is a greenlet, so the functions that it calls need not know of it: who waits for a socket of their own, such as
that of a database session, calls `wait`. Locks must not be held meanwhile.
"""

import select
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from greenlet import getcurrent, greenlet

from pilvi.kernel import clock

SWEEP_S: Final = 0.25
"""Those that waited too long are told so with this delay at most, and only while somebody waits."""


@dataclass(slots=True)
class _Watched:
    idle: Callable[[], None]
    task: greenlet | None = None
    until: float = 0.0


class Tasks:
    """Those of one thread, around its epoll. Only that thread calls."""

    def __init__(self, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._watched: dict[int, _Watched] = {}
        self._parked: dict[greenlet, float] = {}
        self._awake: deque[greenlet] = deque()
        self._idle: list[greenlet] = []
        self._swept_at = 0.0
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._waiting = 0

    def run(self, work: Callable[..., None], *arguments: Any) -> None:
        """Until it ends or waits for the first time."""
        task = self._idle.pop() if self._idle else greenlet(self._work)
        task.switch(work, arguments)

    def _work(self, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """One greenlet does many works, one after the other: making it costs more than most of them."""
        me = getcurrent()
        assert me.parent is not None
        while True:
            work(*arguments)
            self._idle.append(me)
            work, arguments = me.parent.switch()

    # -- for tasks -------------------------------------------------------------------------------------------------

    def wait(self, number: int, limit_s: float) -> None:
        """Until there is something to read from this watched descriptor. Raises TimeoutError."""
        watched = self._watched[number]
        watched.task, watched.until = getcurrent(), clock.monotonic() + limit_s
        self._switch()

    def park(self, limit_s: float) -> None:
        """Until somebody says `wake`. Raises TimeoutError."""
        self._parked[getcurrent()] = clock.monotonic() + limit_s
        self._switch()

    def call_later(self, after_s: float, function: Callable[[], None]) -> None:
        """The loop calls it then, once."""
        self._later.append((clock.monotonic() + after_s, function))

    def _switch(self) -> None:
        self._waiting += 1
        loop = getcurrent().parent
        assert loop is not None, "only tasks wait here"
        try:
            is_in_time = loop.switch()
        finally:
            self._waiting -= 1
        if not is_in_time:
            raise TimeoutError

    def wake_soon(self, task: greenlet) -> None:
        """This one will park now, and go on at the end of the turn."""
        self._awake.append(task)

    def wake(self, task: greenlet) -> None:
        """Let a parked one go on, when the loop has the turn."""
        if self._parked.pop(task, None) is not None:
            self._awake.append(task)

    # -- for the loop ----------------------------------------------------------------------------------------------

    @property
    def sweep_s(self) -> float | None:
        """How soon `sweep` wants to be called; None while nobody waits."""
        return SWEEP_S if self._waiting or self._later else None

    def go_on(self) -> None:
        """With those that were woken."""
        while self._awake:
            task = self._awake.popleft()
            self._parked.pop(task, None)
            task.switch(True)

    def watch(self, number: int, idle: Callable[[], None]) -> None:
        """`idle` is called when something comes for which no task waits."""
        self._watched[number] = _Watched(idle)
        self._epoll.register(number, select.EPOLLIN)

    def forget(self, number: int) -> None:
        """Before the descriptor is closed, or after: a library may have closed it itself."""
        if self._watched.pop(number, None) is not None:
            with suppress(OSError):
                self._epoll.unregister(number)

    def has_come(self, number: int) -> None:
        """The epoll says that there is something to read."""
        watched = self._watched.get(number)
        if watched is None:
            return
        task, watched.task = watched.task, None
        if task is None:
            watched.idle()
        else:
            task.switch(True)

    def sweep(self, now: float) -> None:
        """Cheap as long as it is not time."""
        if now < self._swept_at + SWEEP_S:
            return
        self._swept_at = now
        due = [function for at, function in self._later if at <= now]
        self._later = [(at, function) for at, function in self._later if at > now]
        for function in due:
            function()
        for watched in list(self._watched.values()):
            if watched.task is not None and watched.until <= now:
                task, watched.task = watched.task, None
                task.switch(False)
        for task in [task for task, until in self._parked.items() if until <= now]:
            if self._parked.pop(task, None) is not None:
                task.switch(False)
