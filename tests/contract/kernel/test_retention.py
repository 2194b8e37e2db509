"""What only grows is forgotten in time."""

from pilvi.kernel import clock, facts, retention
from pilvi.kernel.context import internal
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.loop import Runner


def test_events_older_than_a_month_are_forgotten(database: Database) -> None:
    ctx = internal("req-old")
    old = clock.timestamp(clock.now() - 31 * 86400)
    thing = ("thing", "old-or-new", "thing")
    database.write(lambda tx: facts.record(tx, ctx, "old", resource=thing, at=old))
    database.write(lambda tx: facts.record(tx, ctx, "new", resource=thing))
    dropped: list[str] = []

    def drop(tx: Tx, before: str) -> int:
        dropped.append(before)
        return 0

    runner = Runner(database, [retention.loop({"more": (60.0, drop)})])
    while runner.turn():
        pass
    assert [event.step for event in database.read(lambda tx: facts.of(tx, "old-or-new"))] == ["new"]
    assert len(dropped) == 1
