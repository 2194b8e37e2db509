"""Several processes that do the same work: forked, replaced when they end, ended together."""

import os
import signal
import time
from collections.abc import Callable
from typing import Final, NoReturn

PAUSE_S: Final = 1.0
"""Before one that ended is replaced, so that a fault at the start is no storm."""


def keep(count: int, work: Callable[[], None]) -> None:
    """Until SIGTERM or SIGINT, which the processes get, too. `work` sets up its own signals."""
    children: set[int] = set()
    is_ending = False

    def end(*_: object) -> None:
        nonlocal is_ending
        is_ending = True
        for child in children:
            os.kill(child, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    for _ in range(count):
        children.add(_fork(work))
    while children:
        child, _ = os.wait()
        children.discard(child)
        if not is_ending:
            time.sleep(PAUSE_S)
        if not is_ending:
            children.add(_fork(work))


def _fork(work: Callable[[], None]) -> int:
    return os.fork() or _work(work)


def _work(work: Callable[[], None]) -> NoReturn:
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        work()
        code = 0
    finally:
        os._exit(code)
