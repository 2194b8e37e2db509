"""`python -m tests.sim`, which `pilvi sim` runs: one seed with its trace, or many on all processors."""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter

from tests.sim.ground import ground
from tests.sim.planted import PLANTED
from tests.sim.run import STEPS, Outcome, simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="pilvi sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed, or the only one")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after another")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps until tenants and faults stop")
    parser.add_argument("--trace", action="store_true", help="print every step of the (only) seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="seeds at once")
    parser.add_argument("--planted", choices=sorted(PLANTED), help="run with this bug planted")
    asked = parser.parse_args()
    if asked.seeds == 1:
        return _one(asked.seed, asked.steps, asked.trace, asked.planted)
    return _many(asked)


def _one(seed: int, steps: int, trace: bool, planted: str | None) -> int:
    began = time.monotonic()
    outcome = _simulate((seed, steps, trace, planted))
    for line in outcome.trace or []:
        print(line)
    return _tell([outcome], began, steps)


def _many(asked: argparse.Namespace) -> int:
    """Ends at the first seed that finds something: that one is worth looking at."""
    began, outcomes = time.monotonic(), []
    todo = [(seed, asked.steps, False, asked.planted) for seed in range(asked.seed, asked.seed + asked.seeds)]
    ground()  # Made here, children have it too, and its folder goes with this process.
    with multiprocessing.get_context("fork").Pool(asked.jobs) as pool:
        for outcome in pool.imap(_simulate, todo):
            outcomes.append(outcome)
            if outcome.violations:
                break
    return _tell(outcomes, began, asked.steps)


def _simulate(asked: tuple[int, int, bool, str | None]) -> Outcome:
    seed, steps, trace, planted = asked
    if planted is None:
        return simulate(seed, steps, keep_trace=trace)
    with PLANTED[planted].planted():
        return simulate(seed, steps, keep_trace=trace)


def _tell(outcomes: list[Outcome], began: float, asked_steps: int) -> int:
    faults: Counter[str] = Counter()
    for outcome in outcomes:
        faults.update(outcome.faults)
        if outcome.violations or len(outcomes) == 1:
            print(f"seed {outcome.seed}: {outcome.steps} steps, {outcome.simulated_s:.0f} s, trace {outcome.digest}")
        for violation in outcome.violations:
            print(f"  {violation}")
        if outcome.violations:
            print(f"  again: ./pilvi sim --seed {outcome.seed} --steps {asked_steps} --trace")
    steps, seconds = sum(one.steps for one in outcomes), sum(one.simulated_s for one in outcomes)
    print(
        f"{len(outcomes)} seeds, {steps} steps, {sum(faults.values())} faults, {seconds:.0f} simulated seconds in "
        f"{time.monotonic() - began:.0f} s"
    )
    return int(any(one.violations for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
