"""What the auditor would say now, for `pilvi audit`: looked at afresh, with the times of the loop's own notes."""

from typing import Any

from pilvi.kernel import clock
from pilvi.kernel.db import Tx
from pilvi.ops.audit import service
from pilvi.ops.audit.model import Invariant, Verdict, ripen

SHOWN = 10


def document(tx: Tx) -> dict[str, Any]:
    known = {verdict.name: verdict for verdict in service.verdicts(tx)}
    looked = max((verdict.checked_at for verdict in known.values()), default=None)
    return {
        "checked_at": clock.timestamp(),
        "loop_checked_at": looked,
        "invariants": [_one(tx, invariant, known.get(invariant.name)) for invariant in service.INVARIANTS],
    }


def _one(tx: Tx, invariant: Invariant, former: Verdict | None) -> dict[str, Any]:
    started = clock.monotonic()
    found = invariant.check(tx)
    suspects = former.suspects if former is not None else {}
    ripe, since = ripen(found, suspects, clock.now(), invariant.grace_s)
    first = former.since if former is not None and former.since else None
    if ripe and first is None:
        first = clock.timestamp(min(since[violation.key] for violation in ripe))
    return {
        "name": invariant.name, "promise": invariant.promise, "kind": invariant.kind,
        "objects": invariant.population(tx), "violations": len(ripe), "young": len(found) - len(ripe),
        "since": first if ripe else None, "took_ms": round((clock.monotonic() - started) * 1000, 3),
        "examples": [{"type": v.resource_type, "id": v.resource_id, "text": v.text} for v in ripe[:SHOWN]],
    }  # fmt: skip


def lines(document: dict[str, Any]) -> list[str]:
    result = [f"{'INVARIANT':28} {'OBJECTS':>9} {'BROKEN':>7}  SINCE                 PROMISE"]
    for each in document["invariants"]:
        since = (each["since"] or "")[:19]
        result.append(
            f"{each['name']:28} {each['objects']:>9} {each['violations']:>7}  {since:21} {each['promise']}".rstrip()
        )
        result += [f"    ! {e['type']} {e['id']} {e['text']}" for e in each["examples"]]
        if each["young"]:
            result.append(f"      {each['young']} not yet in order, within its grace")
    total = sum(each["violations"] for each in document["invariants"])
    last = document["loop_checked_at"]
    result += ["", f"{total} violations. The auditor's loop looked last at {last or 'no time yet'}."]
    return result
