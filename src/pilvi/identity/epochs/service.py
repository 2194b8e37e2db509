"""Caches of this process that are right by construction: an entry counts only in the epoch in which it was made."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pilvi.identity.epochs import store
from pilvi.kernel import ids
from pilvi.kernel.db import Compiler, Tx

T = TypeVar("T")

ENTRIES_LIMIT = 20_000
_CHANGED = "identity epoch advanced"


class Cache:
    """Values of one database in one epoch; bounded, the oldest go first."""

    def __init__(self) -> None:
        self._current: tuple[int, dict[Any, Any]] = (-1, {})
        self._lock = threading.Lock()

    def at(self, epoch: int) -> dict[Any, Any]:
        """The values of this epoch. Each epoch has a dict of its own, so a slow reader never fills a newer one."""
        current = self._current
        if current[0] != epoch:
            with self._lock:
                if self._current[0] != epoch:
                    self._current = (epoch, {})
                current = self._current
        return current[1]

    def keep(self, values: dict[Any, Any], key: Any, value: Any) -> None:
        with self._lock:
            if len(values) >= ENTRIES_LIMIT:
                for old in list(values)[: ENTRIES_LIMIT // 10]:
                    del values[old]
            values[key] = value


_caches: WeakKeyDictionary[Compiler, Cache] = WeakKeyDictionary()


def bump(tx: Tx) -> None:
    """Rights may have changed by this transaction."""
    if _CHANGED not in tx.facts:
        tx.facts[_CHANGED] = True
        store.advance(tx)


def begin(tx: Tx) -> None:
    """Make the row, starting at a random number, so that a database made anew never meets an old cache."""
    if store.current(tx) == 0:
        store.begin(tx, int.from_bytes(ids.random_bytes(5), "big") + 1)


def cached(tx: Tx, key: Any, build: Callable[[], T]) -> T:
    """The value for this key in the current epoch. A transaction that writes neither uses nor fills the cache."""
    if tx.writes:
        return build()
    cache = _caches.get(tx.dialect)
    if cache is None:
        cache = _caches.setdefault(tx.dialect, Cache())
    epoch = tx.facts.get("identity epoch")
    if epoch is None:
        epoch = tx.facts["identity epoch"] = store.current(tx)
    values = cache.at(epoch)
    found: T | None = values.get(key)
    if found is None:
        found = build()
        if found is not None:  # What is not there may come without a new epoch.
            cache.keep(values, key, found)
    return found
