"""One run: a world, its tenants, its misfortunes; then quiet; then everything is deleted. A seed decides all of it."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pilvi.ops.audit import service as audit
from tests.sim import invariants
from tests.sim.faults import Faults
from tests.sim.ground import TENANTS
from tests.sim.invariants import SOON
from tests.sim.wire import Lost
from tests.sim.workload import LATE_ENDINGS, Workload
from tests.sim.world import Violation, World

STEPS = 6000
SOON_S = 400.0
"""How long what hosts do may take once nothing disturbs: pauses after faults, slow calls, the turn that looks again."""
QUIET_S = 3000.0
"""How long all may take: leases taken under a wrong clock, too."""
LOOK_EVERY_S = 10.0
MOST_VIOLATIONS = 1


@dataclass
class Outcome:
    seed: int
    steps: int
    simulated_s: float
    digest: str
    violations: list[Violation]
    faults: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    called: Counter[str] = field(default_factory=Counter)
    """Routes that answered with success."""
    looks: dict[str, int] = field(default_factory=dict)
    """How often what was looked at that only answers show."""
    trace: list[str] | None = None


def simulate(seed: int, steps: int = STEPS, *, keep_trace: bool = False, is_calm: bool = False) -> Outcome:
    """Stops at the first violation: what comes after it explains nothing. `is_calm`: nothing goes wrong, and people
    hurry along the table of routes."""
    world = World(seed, keep_trace=keep_trace)
    load, faults = Workload(world), Faults(world)
    load.is_hurried = faults.stopping = is_calm
    try:
        _live(world, load, faults, steps)
    except Exception as error:
        world.violate("the simulation itself works", "".join(traceback.format_exception(error))[-3000:])
    finally:
        found = Outcome(
            seed, world.scheduler.steps, world.scheduler.now, world.scheduler.trace.digest(), world.violations,
            faults.count, load.answers, world.called, load.looks(), world.scheduler.trace.lines,
        )  # fmt: skip
        world.close()
    return found


def _live(world: World, load: Workload, faults: Faults, steps: int) -> None:
    load.furnish()
    world.start()
    scheduler = world.scheduler
    _until(world, lambda: scheduler.now > 5.0)
    load.start()
    faults.start()
    _until(world, lambda: scheduler.steps >= steps)
    load.stopping = True
    faults.heal()
    _settle(world, load)
    if not world.violations:
        _audit(world)
        _end(world, load)


def _audit(world: World) -> None:
    """What `pilvi audit` would say now."""
    for invariant in audit.INVARIANTS:
        for found in world.database.look(invariant.check):
            world.violate(f"auditor: {invariant.name}", found.text)


def _until(world: World, done: Callable[[], bool]) -> None:
    world.scheduler.run(lambda: bool(world.violations or world.scheduler.failures or done()))
    for name, error in world.scheduler.failures:
        world.violate(
            "no task ends with an exception", f"{name}: " + "".join(traceback.format_exception(error))[-2000:]
        )
    world.scheduler.failures.clear()


def _settle(world: World, load: Workload) -> None:
    """Quiet: everything must become as it is wanted, within a time that can be told."""
    soon, end = world.scheduler.now + SOON_S, world.scheduler.now + QUIET_S
    _until(world, lambda: load.busy == 0)
    while world.scheduler.now < end and not world.violations:
        at = world.scheduler.now + LOOK_EVERY_S
        _until(world, lambda at=at: world.scheduler.now >= at)
        found = [] if world.violations else world.unsettled()
        if not found:
            return
        for name, text in found:
            if world.scheduler.now >= end or (world.scheduler.now >= soon and name in SOON):
                world.violate(name, text)


def _end(world: World, load: Workload) -> None:
    """Everything is deleted, and then nothing may be left."""
    refused: list[str] = []
    for endings in (None, LATE_ENDINGS):
        done: list[bool] = []
        world.scheduler.spawn("client-end", lambda endings=endings, done=done: _delete(load, endings, refused, done))
        _until(world, lambda done=done: bool(done))
        if world.violations:
            return
        _settle(world, load)
    if world.violations:
        return
    for text in refused:
        world.violate("what is unused can be deleted", text)
    for text in invariants.nothing_is_left(world):
        world.violate("nothing is left", text)


def _delete(
    load: Workload, endings: "tuple[tuple[str, str], ...] | None", refused: list[str], done: list[bool]
) -> None:
    try:
        if endings is None:
            refused += load.delete_everything()
        else:
            for tenant in TENANTS:
                for path, root in endings:
                    refused += load._delete_all(tenant, path, root)
            load.ask("admin", "DELETE", f"/network/v2.0/networks/{load.public_network}")
    except Lost as lost:
        refused.append(f"no answer although nothing disturbs: {lost}")
    done.append(True)
