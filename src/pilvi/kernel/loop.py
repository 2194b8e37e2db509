"""Runs the control-side loops: timer and poke, one key at a time under a lease, failures retried with growing delay."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pilvi.kernel import clock, facts, ids, measures, tracing, work
from pilvi.kernel.context import internal
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.errors import Fault, NotYet
from pilvi.kernel.log import logger

Reconcile = Callable[[Database, str], None]

LEASE_S = 60.0
IDLE_LIMIT_S = 5.0
"""The longest nap, so that a key poked by another process is found without any message."""
BACKOFF_S = (0.2, 1.0, 5.0, 15.0, 60.0)
RETOLD_EVERY = 60
"""A turn that fails again and again is an event at first, and then every so many times."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A kind of key and what to do with it. `reconcile` opens its own transactions and may be run again any time."""

    kind: str
    reconcile: Reconcile
    sweep: Callable[[Tx], list[str]] | None = None
    """Keys that need a look although nobody poked them; asked every `sweep_s`."""
    sweep_s: float = 30.0


class Runner:
    """One thread that claims ripe keys and runs their loops. Any number of runners may share a database."""

    def __init__(self, database: Database, loops: list[Loop]) -> None:
        self.database = database
        self.loops: Mapping[str, Loop] = {loop.kind: loop for loop in loops}
        self.kinds = list(self.loops)
        self.owner = ids.hexid()
        self._poked = threading.Event()
        self._stop = threading.Event()
        self._swept: dict[str, float] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        work.wake.append(self._poked.set)
        self._thread = threading.Thread(target=self._run, name="work", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stop.set()
        self._poked.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            work.wake.remove(self._poked.set)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._poked.clear()
            try:
                nap_s = 0.0 if self.turn() else self._nap_s()
            except Exception as error:  # noqa: BLE001 the database may be away: the loop outlives that
                logger("work").error("loop.database", error=repr(error))
                nap_s = 1.0
            if nap_s:
                self._poked.wait(nap_s)

    def _nap_s(self) -> float:
        due = self.database.read(lambda tx: work.next_due(tx, self.kinds))
        return IDLE_LIMIT_S if due is None else min(IDLE_LIMIT_S, max(0.01, due - clock.now()))

    def turn(self, limit: int = 16) -> int:
        """Sweep what is due, claim ripe keys, run each once. Returns how many were run."""
        self._sweep()
        if not self.database.read(self._ripe):
            return 0
        claim = work.claim
        items = self.database.write(lambda tx: claim(tx, self.kinds, self.owner, lease_s=LEASE_S, limit=limit))
        for item in items:
            self._one(item)
        return len(items)

    def _ripe(self, tx: Tx) -> bool:
        due = work.next_due(tx, self.kinds)
        return due is not None and due <= clock.now()

    def _sweep(self) -> None:
        now = clock.monotonic()
        for loop in self.loops.values():
            if loop.sweep is None or now - self._swept.get(loop.kind, -1e9) < loop.sweep_s:
                continue
            self._swept[loop.kind] = now
            keys = self.database.read(loop.sweep)
            if keys:
                self.database.write(partial(_poke_all, kind=loop.kind, keys=keys))

    def _one(self, item: work.Item) -> None:
        started, outcome = clock.monotonic(), "failed"
        try:
            step = f"loop {item.kind}"
            with (
                facts.turn(item.request_id, step),
                tracing.working_for(item.request_id),
                tracing.span(step, item.request_id, key=item.key),
            ):
                self.loops[item.kind].reconcile(self.database, item.key)
        except NotYet as wait:
            outcome = "waiting"
            after_s, text = wait.after_s, wait.waiting_for
            self.database.write(lambda tx: work.postpone(tx, item, self.owner, after_s=after_s, error=text))
        except Exception as error:  # noqa: BLE001 the other place that catches everything
            text = error.message if isinstance(error, Fault) else repr(error)
            logger("work").error("loop.failed", kind=item.kind, key=item.key, request_id=item.request_id, error=text)
            delay_s = BACKOFF_S[min(item.attempts, len(BACKOFF_S) - 1)]
            took_ms = (clock.monotonic() - started) * 1000

            def fail(tx: Tx) -> None:
                work.postpone(tx, item, self.owner, after_s=delay_s, error=text, failed=True)
                if item.attempts < len(BACKOFF_S) or item.attempts % RETOLD_EVERY == 0:
                    _record_failure(tx, item, text, took_ms)

            self.database.write(fail)
        else:
            outcome = "done"
            self.database.write(lambda tx: work.finish(tx, item, self.owner))
        finally:
            measures.LOOP_TURNS.inc(item.kind, outcome)
            measures.LOOP_SECONDS.observe(clock.monotonic() - started, item.kind)


def _record_failure(tx: Tx, item: work.Item, text: str, took_ms: float) -> None:
    facts.record(
        tx, internal(item.request_id), f"loop {item.kind}", resource=(item.kind, item.key, ""), outcome="failed",
        duration_ms=round(took_ms, 3), detail={"message": text, "attempt": item.attempts + 1},
    )  # fmt: skip


def _poke_all(tx: Tx, kind: str, keys: list[str]) -> None:
    for key in keys:
        work.poke(tx, kind, key)
