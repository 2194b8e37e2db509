"""The simulation finds every planted bug, within so many seeds; the table says which found it last."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.sim.planted import PLANTED
from tests.sim.run import simulate

TABLE = Path(__file__).parent / "planted" / "found.golden.json"
STEPS = 4000
SEEDS_WITHIN = 40
"""Every planted bug is found within so many seeds; most of them by the first. One in ten finds the rarest."""


def found() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    return table


def test_every_planted_bug_has_been_found() -> None:
    assert len(PLANTED) >= 10
    assert set(found()) == set(PLANTED)
    assert max(one["seeds"] for one in found().values()) <= SEEDS_WITHIN


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str) -> None:
    if os.environ.get("PILVI_GOLDEN") == "write":
        return _search(name)
    # Any change of the product shifts what a seed means: the table's seed is only the likeliest. Any invariant will do,
    # for a change elsewhere may bring another to light first.
    likeliest = found()[name]["seeds"]
    for seed in dict.fromkeys((likeliest, *range(1, SEEDS_WITHIN + 1))):
        with PLANTED[name].planted():
            violations = simulate(seed, STEPS).violations
        if violations:
            only = PLANTED[name].only
            assert not only or {one.invariant for one in violations} == {only}, violations
            return None
    pytest.fail(f"{name}: {SEEDS_WITHIN} seeds do not find it any more. PILVI_GOLDEN=write looks for more.")


def _search(name: str) -> None:
    for seed in range(1, SEEDS_WITHIN + 1):
        with PLANTED[name].planted():
            outcome = simulate(seed, STEPS)
        if outcome.violations:
            first = outcome.violations[0]
            row = {"seeds": seed, "steps": first.step, "by": first.invariant}
            TABLE.write_text(json.dumps(dict(sorted({**found(), name: row}.items())), indent=1) + "\n")
            return
    pytest.fail(f"{name} was not found in {SEEDS_WITHIN} seeds")
