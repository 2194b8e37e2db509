"""Requests that only compute take turns: threads that fight for the one interpreter cost twice what they do.

Why, and what was measured: docs/decisions/0057.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """`with turns:` around a request. What waits for something else does so inside `put_down`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._local = threading.local()

    def __enter__(self) -> None:
        self._lock.acquire()
        self._local.has = True

    def __exit__(self, *_: object) -> None:
        self._local.has = False
        self._lock.release()

    @contextmanager
    def put_down(self) -> Iterator[None]:
        """Let others go on meanwhile; nothing happens in a thread that has no turn."""
        if not getattr(self._local, "has", False):
            yield
            return
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()
