"""Seeds that every change has to survive, and the promise that a seed decides everything."""

import os
import subprocess
import sys

import pytest

from pilvi.ops.gates import ROOT
from tests.sim.run import simulate

SEEDS = range(1, 25)
STEPS = 4000


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_whatever_happens(seed: int) -> None:
    outcome = simulate(seed, STEPS)
    assert not outcome.violations, again(seed, [str(one) for one in outcome.violations])
    assert outcome.answers.get("2xx", 0) > 30, outcome.answers


def again(seed: int, found: list[str]) -> str:
    return "\n".join([*found, f"again: ./pilvi sim --seed {seed} --steps {STEPS} --trace"])


def test_the_same_seed_is_the_same_run() -> None:
    first, second, other = simulate(7, 1500), simulate(7, 1500), simulate(8, 1500)
    assert (first.digest, first.steps, first.simulated_s) == (second.digest, second.steps, second.simulated_s)
    assert first.digest != other.digest


def test_the_order_of_hashes_decides_nothing() -> None:
    """A seed that CI found must fail in the same way on the developer's machine."""
    script = "from tests.sim.run import simulate; print(simulate(7, 1500).digest)"
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    digests = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300,
            env={**os.environ, "PYTHONHASHSEED": str(order), "PYTHONPATH": path},
        ).stdout
        for order in (1, 2)
    }  # fmt: skip
    assert digests == {simulate(7, 1500).digest + "\n"}
