"""Going through the invariants: which ones now, what was found, whom to alarm."""

from collections.abc import Sequence
from dataclasses import dataclass

from pilvi.kernel import clock, facts
from pilvi.kernel.context import internal
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.log import logger
from pilvi.ops.audit import store
from pilvi.ops.audit.model import Invariant, Verdict, Violation, ripen
from pilvi.ops.audit.service.invariants import INVARIANTS

BUDGET_S = 2.0
"""Time of one pass. What it does not reach comes first in the next one, so that a large cloud is proved in rotation."""
EXAMPLES_MOST = 20
SUSPECTS_MOST = 200


def check_now(tx: Tx, invariants: Sequence[Invariant] | None = None) -> list[Violation]:
    """Every violation at this moment, the young ones of liveness included. For tests and the simulator."""
    return [found for invariant in invariants or INVARIANTS for found in invariant.check(tx)]


def turn(database: Database, *, budget_s: float = BUDGET_S) -> list[Verdict]:
    """One bounded pass: the invariants that were looked at longest ago first."""
    former = {verdict.name: verdict for verdict in database.read(store.every_verdict)}
    order = sorted(INVARIANTS, key=lambda i: former[i.name].checked_at if i.name in former else "")
    done: list[Verdict] = []
    alarms: list[Alarm] = []
    spent_s = 0.0
    for invariant in order:
        # At least one each time; then whatever is likely to fit.
        known = former.get(invariant.name)
        if done and spent_s + (known.took_ms / 1000 if known is not None else 0.0) > budget_s:
            continue
        verdict, violations = examine(database, invariant, known)
        spent_s += verdict.took_ms / 1000
        done.append(verdict)
        alarms.append(_alarm(invariant, violations, known))
    tell(database, done, alarms)
    return done


def examine(database: Database, invariant: Invariant, former: Verdict | None) -> tuple[Verdict, list[Violation]]:
    """Look at one invariant in a read transaction of its own, so that no writer waits."""
    started = clock.monotonic()
    found, objects = database.read(lambda tx: (invariant.check(tx), invariant.population(tx)))
    took_ms = (clock.monotonic() - started) * 1000
    now, stamp = clock.now(), clock.timestamp()
    suspects = former.suspects if former is not None else {}
    ripe, known = ripen(found[:SUSPECTS_MOST], suspects, now, invariant.grace_s)
    since = None
    if ripe:
        since = (former.since if former is not None else None) or clock.timestamp(
            min(known[violation.key] for violation in ripe)
        )
    examples = tuple(
        {"type": v.resource_type, "id": v.resource_id, "text": v.text} for v in ripe[:EXAMPLES_MOST]
    )  # fmt: skip
    verdict = Verdict(invariant.name, stamp, objects, len(ripe), since, round(took_ms, 3), known, examples)
    return verdict, ripe


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is to be told of one invariant: violations that were not known, or that it holds again."""

    invariant: Invariant
    new: list[Violation]
    is_over: bool


def _alarm(invariant: Invariant, violations: list[Violation], former: Verdict | None) -> Alarm:
    old = {(e["type"], e["id"]) for e in former.examples} if former is not None else set()
    new = [violation for violation in violations if (violation.resource_type, violation.resource_id) not in old]
    is_over = former is not None and bool(former.violations) and not violations
    return Alarm(invariant, new[:EXAMPLES_MOST], is_over)


def tell(database: Database, verdicts: list[Verdict], alarms: list[Alarm]) -> None:
    """Write down what was found, in one transaction: a new violation, and the end of the last one, are events too."""

    def write(tx: Tx) -> None:
        for verdict in verdicts:
            store.put(tx, verdict)
        for alarm in alarms:
            name = alarm.invariant.name
            for violation in alarm.new:
                _record(tx, alarm.invariant, violation)
            if alarm.is_over:
                about = ("invariant", name, name)
                facts.record(tx, internal(""), f"audit {name}", resource=about, detail={"text": "holds again"})

    database.write(write)
    for alarm in alarms:
        for violation in alarm.new:
            logger("audit").error(
                "invariant.violated", invariant=alarm.invariant.name, promise=alarm.invariant.promise,
                resource_type=violation.resource_type, resource_id=violation.resource_id, text=violation.text,
            )  # fmt: skip


def _record(tx: Tx, invariant: Invariant, violation: Violation) -> None:
    facts.record(
        tx, internal(""), f"audit {invariant.name}", outcome="violated",
        resource=(violation.resource_type, violation.resource_id[:64], ""),
        detail={"message": f"{violation.resource_type} {violation.resource_id} {violation.text}",
                "promise": invariant.promise},
    )  # fmt: skip


def verdicts(tx: Tx) -> list[Verdict]:
    return store.every_verdict(tx)
