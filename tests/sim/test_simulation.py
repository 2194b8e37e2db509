"""Seeds that every change has to survive, what they call, and the promise that a seed decides everything."""

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import chain

import pytest

from pilvi.ops.gates import ROOT
from tests.sim.ground import ground
from tests.sim.run import Outcome, simulate

SEEDS = range(1, 13)
STEPS = 6000
CALM_SEEDS, CALM_STEPS = range(1, 17), 10_000
"""Walks along the table of routes while nothing goes wrong, as many as it takes."""
BYTES = {
    "live ImageStreams.upload", "live ImageStreams.stage", "live ImageStreams.download", "live HostImages.download",
    "live HostImages.upload",
}  # fmt: skip
"""Requests that `live` answers."""
NOT_CALLED = {
    "/identity/v3/auth/OS-FEDERATION/": "a browser and an identity provider",
    "/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/auth": "an identity provider",
    "/OS-FEDERATION/saml2/metadata": "the key of an identity provider",
    "/servers/{server_id}/action {restore}": "nothing is deleted softly, so it is always refused",
    "DELETE /placement/resource_providers/{uuid}/inventories until 4": "refused on purpose before 1.5",
}
"""Routes that no seed gets a success from, and what they would need."""


@cache
def outcome_of(seed: int) -> Outcome:
    return simulate(seed, STEPS)


@cache
def calm_outcome_of(seed: int) -> Outcome:
    return simulate(seed, CALM_STEPS, is_calm=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_whatever_happens(seed: int) -> None:
    outcome = outcome_of(seed)
    assert not outcome.violations, again(seed, [str(one) for one in outcome.violations])
    assert outcome.answers.get("2xx", 0) > 30, outcome.answers


def again(seed: int, found: list[str]) -> str:
    return "\n".join([*found, f"again: ./pilvi sim --seed {seed} --steps {STEPS} --trace"])


def test_the_workload_does_everything_that_the_api_offers() -> None:
    """Every route of the product's own table answers somebody with success, but for those that are named above."""
    names = set(ground().routes.values()) | BYTES
    without = {name for name in names if any(part in name for part in NOT_CALLED)}
    missing = names - without
    for outcome in chain(map(outcome_of, SEEDS), map(calm_outcome_of, CALM_SEEDS)):
        assert not outcome.violations, outcome.violations
        assert not without & set(outcome.called), without & set(outcome.called)
        missing -= set(outcome.called)
        if not missing:
            break
    assert not missing, "no seed calls " + "; ".join(sorted(missing)) + " (see tests/sim/wishes.py)"


def test_it_is_looked_at_what_only_answers_show() -> None:
    looks: Counter[str] = Counter()
    for seed in SEEDS:
        looks.update(outcome_of(seed).looks)
    assert all(looks[name] > 50 for name in ("rights", "replays", "registers")), looks


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
