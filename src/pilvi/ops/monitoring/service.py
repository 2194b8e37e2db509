"""What the whole cloud looks like at this moment, as figures, and what of it is remembered for thirty days."""

from collections.abc import Iterable
from typing import Final

from pilvi.kernel import clock, hosts, measures
from pilvi.kernel.db import Tx
from pilvi.kernel.metrics import Collected, Measure, gather
from pilvi.ops.monitoring import store
from pilvi.ops.monitoring.model import Part

WORK_KINDS: Final = (
    "server",
    "router",
    "image_data",
    "image_import",
    "image_cache",
    "identity directory",
    "retention",
    "audit",
)
"""Kinds that are shown as zero when nothing is to do; a test compares them with the loops there are."""
VM_STATES: Final = ("active", "building", "stopped", "paused", "error")


def cloud(tx: Tx) -> list[Part]:
    """What only the database knows: work, servers, the auditor, and each host as the control plane sees it."""
    now = clock.now()
    whole = Part({}, gather([*_work(tx, now), *_servers(tx, now), *_audit(tx, now)]))
    capacity = _capacity(tx)
    known = hosts.all_hosts(tx)
    return [whole, *(Part({"host": h.name}, gather([*_host(h, now), *capacity.get(h.name, [])])) for h in known)]


def _work(tx: Tx, now: float) -> Collected:
    rows = {row.kind: row for row in store.work_by_kind(tx, now)}
    for kind in sorted({*WORK_KINDS, *rows}):
        row = rows.get(kind)
        ripe = now if row is None or row.ripe_since is None else row.ripe_since
        yield measures.WORK_ROWS, (kind,), 0.0 if row is None else float(row.number)
        yield measures.WORK_OLDEST, (kind,), 0.0 if row is None else max(0.0, now - row.oldest)
        yield measures.WORK_OVERDUE, (kind,), max(0.0, now - ripe)
        yield measures.WORK_LEASED, (kind,), 0.0 if row is None else float(row.leased)
        yield measures.WORK_FAILING, (kind,), 0.0 if row is None else float(row.failing)


def _servers(tx: Tx, now: float) -> Collected:
    found = {row.vm_state: row.number for row in store.servers_by_state(tx)}
    for state in sorted({*VM_STATES, *found}):
        yield measures.SERVERS, (state,), float(found.get(state, 0))
    changing = store.changing_servers(tx)
    yield measures.SERVERS_CHANGING, (), float(changing.number)
    yield measures.SERVERS_CHANGE_AGE, (), max(0.0, now - changing.since) if changing.number else 0.0


def _audit(tx: Tx, now: float) -> Collected:
    for verdict in store.every_verdict(tx):
        label = (verdict.name,)
        yield measures.AUDIT_VIOLATIONS, label, float(verdict.violations)
        yield measures.AUDIT_OBJECTS, label, float(verdict.objects)
        yield measures.AUDIT_AGE, label, max(0.0, now - clock.parse(verdict.checked_at))
        yield measures.AUDIT_SECONDS, label, verdict.took_ms / 1000


def _host(host: hosts.Host, now: float) -> Collected:
    yield measures.HOST_UP, (), float(host.is_up())
    yield measures.HOST_REPORT_AGE, (), max(0.0, now - host.seen_at)
    yield measures.HOST_BEHIND, (), float(max(0, host.revision - host.applied_revision))


def _capacity(tx: Tx) -> dict[str, list[tuple[Measure, tuple[str, ...], float]]]:
    result: dict[str, list[tuple[Measure, tuple[str, ...], float]]] = {}
    for row in store.inventories_by_host(tx):
        offered = float(int((row.total - row.reserved) * row.allocation_ratio))
        entries = result.setdefault(row.name, [])
        entries.append((measures.HOST_CAPACITY, (row.resource_class,), offered))
        entries.append((measures.HOST_CLAIMED, (row.resource_class,), float(row.used)))
    return result


# -- the built-in store ----------------------------------------------------------------------------------------------

MINUTE_S: Final = 60
QUARTER_S: Final = 900
KEPT_S: Final = {MINUTE_S: 24 * 3600, QUARTER_S: 30 * 24 * 3600}
"""Minutes for a day, quarters of an hour for thirty: 4,320 rows at most, whatever the cloud does."""
SERIES_MOST: Final = 200
"""Of one row: 4,320 rows of 200 series of 40 bytes are 35 MB at most."""


def remember(tx: Tx, figures: dict[str, float]) -> None:
    """One minute's values. At the end of a quarter its mean is kept too, and what is too old goes."""
    now = int(clock.now())
    minute = now - now % MINUTE_S
    kept = dict(sorted(figures.items())[:SERIES_MOST])
    store.put(tx, MINUTE_S, minute, {name: float(f"{value:.4g}") for name, value in kept.items()})
    quarter = minute - minute % QUARTER_S
    former = store.rows(tx, MINUTE_S, quarter - QUARTER_S, quarter, QUARTER_S // MINUTE_S)
    if former and minute - quarter < 3 * MINUTE_S:
        store.put(tx, QUARTER_S, quarter - QUARTER_S, _mean(row for _, row in former))
        for step_s, kept_s in KEPT_S.items():
            store.forget(tx, step_s, now - kept_s)


def _mean(rows: Iterable[dict[str, float]]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, []).append(value)
    return {name: float(f"{sum(each) / len(each):.4g}") for name, each in values.items()}


def remembered(tx: Tx, since_s: float, limit: int = 5000) -> list[tuple[int, dict[str, float]]]:
    """Rows of the last seconds, newest last: minutes where they are kept so long, quarters otherwise."""
    now = int(clock.now())
    step_s = MINUTE_S if since_s <= KEPT_S[MINUTE_S] else QUARTER_S
    return store.rows(tx, step_s, int(now - since_s), now + 1, limit)
