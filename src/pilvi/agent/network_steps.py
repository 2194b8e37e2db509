"""What a turn of the network driver was about: which objects it had to make, change or remove, and how long it took."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from pilvi.kernel import clock, measures
from pilvi.network.drivers.protocol import HostState

STEPS_MOST: Final = 20
"""Turns that wait to be told; the oldest go when there are more."""
OBJECTS_MOST: Final = 50
"""Objects of one turn that are told one by one."""

Object = tuple[str, str]
"""Kind and id."""


def objects(state: HostState) -> dict[Object, Any]:
    """The objects of a state by what they are. Who else is in a security group is not the group's own matter."""
    found: dict[Object, Any] = {("network", one.id): one for one in state.networks}
    found |= {("port", one.id): one for one in state.ports}
    found |= {
        ("security_group", one.id): replace(one, members4=(), members6=()) for one in state.security_groups
    }  # fmt: skip
    for router in state.routers:
        found["router", router.id] = replace(router, floating_ips=())
        found |= {("floatingip", one.id): (one, router.id) for one in router.floating_ips}
    return found


def between(former: HostState, wanted: HostState) -> list[dict[str, str]]:
    """What has to be done to come from one state to the other."""
    old, new = objects(former), objects(wanted)
    done = [(key, "made" if key not in old else "changed") for key in new if old.get(key) != new[key]]
    done += [(key, "removed") for key in old if key not in new]
    return [{"kind": kind, "id": id, "does": does} for (kind, id), does in done]


class NetworkSteps:
    """Remembers the state that was applied last, and the turns that nobody was told of yet."""

    def __init__(self) -> None:
        self._applied: HostState | None = None
        self._failed: tuple[HostState, str] | None = None
        self.steps: list[dict[str, Any]] = []

    @contextmanager
    def turn(self, wanted: HostState) -> Iterator[None]:
        """One call of the driver. A turn that found the state as it was before is none to tell of."""
        at, began, outcome, message = clock.timestamp(), clock.monotonic(), "done", ""
        try:
            yield
        except Exception as fault:
            outcome, message = "failed", str(fault) or repr(fault)
            raise
        finally:
            took_s = clock.monotonic() - began
            measures.driver_call("network", outcome, took_s)
            self._tell(wanted, message, {"at": at, "duration_ms": round(took_s * 1000, 1), "outcome": outcome})
            self._failed = (wanted, message) if message else None
            if not message:
                self._applied = wanted

    def _tell(self, wanted: HostState, message: str, step: dict[str, Any]) -> None:
        done = between(self._applied or HostState(), wanted)
        if not done or (message and self._failed == (wanted, message)):
            return  # Nothing to do, or the same trouble as before.
        one_by_one = done[:OBJECTS_MOST] if self._applied is not None else []  # At first it only looks what is there.
        self.steps.append(
            step | {"message": message[:2000], "objects": one_by_one, "more": len(done) - len(one_by_one)}
        )
        del self.steps[:-STEPS_MOST]

    def told(self, steps: list[dict[str, Any]]) -> None:
        """These have arrived."""
        arrived = {id(step) for step in steps}
        self.steps = [step for step in self.steps if id(step) not in arrived]
