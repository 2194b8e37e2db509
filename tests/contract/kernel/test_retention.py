"""What only grows is forgotten in time."""

import pytest

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


def test_many_old_events_go_in_portions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "DROP_AT_ONCE", 10)
    monkeypatch.setattr(retention, "PAUSE_S", 0.0)
    ctx, old = internal("req-old"), clock.timestamp(clock.now() - 31 * 86400)

    def many(tx: Tx) -> None:
        for _ in range(35):
            facts.record(tx, ctx, "old", resource=("thing", "many", ""), at=old)

    database.write(many)
    runner = Runner(database, [retention.loop({})])
    turns = 0
    while runner.turn():
        turns += 1
    assert turns == 4
    assert database.read(lambda tx: facts.of(tx, "many")) == []


def test_on_postgresql_a_week_goes_as_a_whole(database: Database) -> None:
    if database.compiler.dialect.name != "postgresql":
        assert database.write(lambda tx: facts.drop_older(tx, "2020-01-01T00:00:00.000000Z")) == 0
        return
    now = clock.now()
    known = "select relname from pg_class where relname like 'kernel_events_w%' and relkind = 'r'"

    def weeks(tx: Tx) -> set[str]:
        return {row[0] for row in tx._connection.run(known, None)[0]}

    database.write(lambda tx: facts.drop_older(tx, clock.timestamp(now - 30 * 86400)))
    made = database.read(weeks)
    assert len(made) >= facts.WEEKS_AHEAD
    ahead = clock.timestamp(now + 8 * 86400)
    database.write(lambda tx: facts.record(tx, internal("req-a"), "x", resource=("thing", "ahead", ""), at=ahead))
    database.write(lambda tx: facts.drop_older(tx, clock.timestamp(now + 60 * 86400)))
    assert database.read(weeks) & {name for name in made if name < max(made)} == set()
    assert database.read(lambda tx: facts.of(tx, "ahead")) == []
