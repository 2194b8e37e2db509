"""What is forgotten, and when: events and what else only grows is bounded in time by one small loop."""

from collections.abc import Callable
from typing import Final

from pilvi.kernel import clock, facts, idempotency
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.errors import NotYet
from pilvi.kernel.loop import Loop

EVENTS_S: Final = 30 * 86400.0
SWEEP_S: Final = 3600.0
PAUSE_S: Final = 0.5
"""Between two portions of what is forgotten: those who write come first."""

Drop = Callable[[Tx, str], int]
"""Forgets what is older than this timestamp; returns how much."""


def loop(kept: dict[str, tuple[float, Drop]]) -> Loop:
    """A loop that forgets: name → how many seconds are kept, and who drops the rest. Events are always among them."""
    every: dict[str, tuple[float, Drop]] = {
        "events": (EVENTS_S, facts.drop_older),
        "answers to idempotency keys": (idempotency.KEPT_S, idempotency.drop_older),
        **kept,
    }

    def reconcile(database: Database, name: str) -> None:
        seconds, drop = every[name]
        before = clock.timestamp(clock.now() - seconds)
        if database.write(lambda tx: drop(tx, before)) >= facts.DROP_AT_ONCE:
            raise NotYet(PAUSE_S, f"{name} older than {before} are being forgotten")

    return Loop("retention", reconcile, sweep=lambda tx: list(every), sweep_s=SWEEP_S)
