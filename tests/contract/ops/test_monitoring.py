"""What one look into the database tells, and what is remembered of it, on both engines."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from pilvi.kernel import clock, work
from pilvi.kernel.db import Database, Tx, metadata
from pilvi.ops.audit import service as audit
from pilvi.ops.monitoring import service, store
from pilvi.ops.monitoring.model import Part, added, values
from tests.contract.client import Client
from tests.contract.compute.conftest import Node

T0 = 1_800_000_000.0


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def hands() -> Iterator[Hands]:
    moved = Hands(T0)
    former = clock.use(moved)
    yield moved
    clock.use(former)


def look(database: Database) -> list[Part]:
    return database.read(service.cloud)


def test_every_column_that_monitoring_names_exists() -> None:
    missing = [
        f"{light.name}.{column.name}"
        for light in store.LIGHT
        for column in light.columns
        if column.name not in metadata.tables[light.name].c
    ]
    assert missing == []


def test_work_is_told_with_its_age_and_its_wait(database: Database, hands: Hands) -> None:
    for kind in service.WORK_KINDS:
        database.write(lambda tx, kind=kind: tx.execute(work.work.delete().where(work.work.c.kind == kind)))
    database.write(lambda tx: work.poke(tx, "server", "a"))
    database.write(lambda tx: work.poke(tx, "server", "later", after_s=500.0))
    database.write(lambda tx: work.poke(tx, "router", "leased"))
    database.write(lambda tx: work.claim(tx, ["router"], "me", lease_s=600.0, limit=1))
    hands.at += 90
    parts = look(database)
    assert added(parts, "pilvi_work_rows", "kind")["server"] == 2
    assert added(parts, "pilvi_work_oldest_seconds", "kind")["server"] == 90
    overdue = added(parts, "pilvi_work_overdue_seconds", "kind")
    assert (overdue["server"], overdue["router"], overdue["retention"]) == (90, 0, 0)
    assert added(parts, "pilvi_work_leased", "kind")["router"] == 1
    assert set(overdue) >= set(service.WORK_KINDS)


def test_servers_hosts_and_claims_are_told(cloud: Client, node: Node, boot: object) -> None:
    parts = look(cloud.database)
    hosts = {labels["host"]: value for labels, value in values(parts, "pilvi_host_up")}
    assert list(hosts.values()) == [1.0]
    assert set(added(parts, "pilvi_servers", "state")) >= set(service.VM_STATES)
    capacity = added(parts, "pilvi_host_capacity", "resource")
    assert set(capacity) == {"VCPU", "MEMORY_MB", "DISK_GB"}
    assert all(value > 0 for value in capacity.values())
    assert set(added(parts, "pilvi_host_claimed", "resource")) == set(capacity)


def test_the_auditors_verdicts_are_told(cloud: Client) -> None:
    audit.turn(cloud.database, budget_s=600.0)
    told = added(look(cloud.database), "pilvi_audit_violations", "invariant")
    assert set(told) == {invariant.name for invariant in audit.INVARIANTS}
    assert set(told.values()) == {0.0}


# -- the built-in store ----------------------------------------------------------------------------------------------


def live_through(database: Database, hands: Hands, minutes: int) -> None:
    """Samples, all in one transaction: what counts is what is kept."""

    def live(tx: Tx) -> None:
        for _ in range(minutes):
            service.remember(tx, {"minute": (hands.at - T0) / 60, "constant": 7.0})
            hands.at += 60

    database.write(live)


def test_minutes_are_kept_for_a_day_and_quarters_for_thirty(database: Database, hands: Hands) -> None:
    """The first days are put there, the last one and a half are lived through."""

    def put(tx: Tx) -> None:
        for quarter in range(32 * 96):
            store.put(tx, 900, int(T0) + 900 * quarter, {"old": 1.0})

    database.write(put)
    hands.at += 32 * 86400
    live_through(database, hands, 36 * 60)
    minutes = database.read(lambda tx: store.rows(tx, 60, 0, 1 << 40, 10_000))
    quarters = database.read(lambda tx: store.rows(tx, 900, 0, 1 << 40, 10_000))
    assert len(minutes) == pytest.approx(1440, abs=15)
    assert len(quarters) == pytest.approx(2880, abs=2)
    at, figures = quarters[-1]
    first = (at - T0) / 60
    assert figures == {"minute": pytest.approx(first + 7, rel=1e-3), "constant": 7.0}


def test_what_is_asked_for_is_fine_or_coarse(database: Database, hands: Hands) -> None:
    live_through(database, hands, 2 * 1440)
    hands.at -= 1
    hour = database.read(lambda tx: service.remembered(tx, 3600.0))
    week = database.read(lambda tx: service.remembered(tx, 7 * 86400.0))
    assert (len(hour), {b[0] - a[0] for a, b in pairwise(hour)}) == (60, {60})
    assert {b[0] - a[0] for a, b in pairwise(week)} == {900}
    assert len(week) == pytest.approx(2 * 96, abs=2)


def test_a_row_is_bounded_and_written_once(database: Database, hands: Hands) -> None:
    database.write(lambda tx: service.remember(tx, {f"series {n:04}": 1 / 3 for n in range(500)}))
    database.write(lambda tx: service.remember(tx, {"late": 1.0}))
    rows = database.read(lambda tx: service.remembered(tx, 60.0))
    assert len(rows) == 1
    assert len(rows[0][1]) == service.SERIES_MOST
    assert rows[0][1]["series 0000"] == 0.3333
