"""From what is wanted and what is there to the steps between them. Pure; an empty plan means converged."""

from collections.abc import Container, Mapping
from enum import StrEnum

from pilvi.compute.drivers.protocol import Observed
from pilvi.compute.servers.host.wanted import Wanted

MOST_RESTARTS = 3
"""Crashes in an hour that are mended by starting the guest again; after that it stays down and is reported so."""


class Step(StrEnum):
    DEFINE = "define"
    POWER_ON = "power_on"
    POWER_OFF = "power_off"
    PAUSE = "pause"
    RESUME = "resume"
    REBOOT = "reboot"
    SNAPSHOT = "snapshot"
    DESTROY = "destroy"


Plan = dict[str, tuple[Step, ...]]


def plan(
    wanted: Mapping[str, Wanted],
    present: Mapping[str, Observed],
    *,
    may_delete: bool,
    sent: Container[str] = (),
) -> Plan:
    """Steps by server. Absence is not evidence: a guest that nobody mentions goes only if the list is complete.

    `sent` are the images that the control plane has had already, though the list may still ask for them.
    """
    steps = {server_id: steps_of(server, present.get(server_id), sent) for server_id, server in wanted.items()}
    if may_delete:
        steps.update({guest_id: (Step.DESTROY,) for guest_id in present if guest_id not in wanted})
    return steps


def steps_of(wanted: Wanted, present: Observed | None, sent: Container[str] = ()) -> tuple[Step, ...]:
    if wanted.power == "absent":
        return () if present is None else (Step.DESTROY,)
    if present is None:
        # Reboots that were asked for before the guest existed are done by its first start.
        seen = Observed(wanted.id, "off", 0, reboot_generation=wanted.reboot.generation)
    else:
        seen = present
    define = (Step.DEFINE,) if seen.generation < wanted.generation else ()
    snapshot = (Step.SNAPSHOT,) if wanted.snapshot and wanted.snapshot not in sent else ()
    return define + (_down(seen) if wanted.power == "off" else _up(wanted, seen)) + snapshot


def _down(seen: Observed) -> tuple[Step, ...]:
    """A guest that is down by itself is switched off all the same: from then on it is down because that is wanted."""
    is_settled = seen.power == "off" and seen.stopped_by in ("nobody", "host")
    return () if is_settled else (Step.POWER_OFF,)


def _up(wanted: Wanted, seen: Observed) -> tuple[Step, ...]:
    if wanted.reboot.generation > seen.reboot_generation:
        start: tuple[Step, ...] = (Step.REBOOT,)
    elif stays_down(wanted, seen):
        return ()
    elif seen.power in ("off", "crashed"):
        start = (Step.POWER_ON,)
    elif wanted.power == "on":
        return (Step.RESUME,) if seen.power == "paused" else ()
    else:
        return () if seen.power == "paused" else (Step.PAUSE,)
    return (*start, Step.PAUSE) if wanted.power == "paused" else start


def stays_down(wanted: Wanted, seen: Observed) -> bool:
    """Whether a guest that is wanted up is left down: it switched itself off and nobody has asked for anything since,
    or it dies whenever it is started."""
    if seen.power == "off":
        return seen.stopped_by == "guest" and seen.stopped_generation >= wanted.generation
    return seen.power == "crashed" and seen.crashes >= MOST_RESTARTS
