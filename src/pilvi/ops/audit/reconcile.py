"""The auditor's loop: a key in the work table, so that one process of the cloud has it at a time."""

from pilvi.kernel.db import Database, Tx
from pilvi.kernel.loop import Loop
from pilvi.ops.audit import service

EVERY_S = 60.0


def reconcile(database: Database, _: str) -> None:
    service.turn(database)


def sweep(_: Tx) -> list[str]:
    return ["pass"]


def loop() -> Loop:
    return Loop("audit", reconcile, sweep=sweep, sweep_s=EVERY_S)
