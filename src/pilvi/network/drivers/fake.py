"""The in-memory twin of a network driver: same promises, same refusals, no packets. Faults can be planted in it."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from pilvi.network.drivers.protocol import (
    Capabilities,
    DriverFault,
    HostState,
    HostStatus,
    PortCounters,
)
from pilvi.network.drivers.vet import Key, statuses, union, vet


@dataclass(slots=True)
class FakeHost:
    """What outlives the agent on a real host. Hand it to the next driver to play a restart."""

    state: HostState = field(default_factory=HostState)


class FakeDriver:
    def __init__(self, host: FakeHost | None = None) -> None:
        self.host = host if host is not None else FakeHost()
        self.faults: dict[Key, str] = {}  # (kind, id) -> why it cannot be applied, as long as it stands here
        self.outage: str | None = None  # why nothing can be done at all, as long as it is set
        self._lock = threading.Lock()

    def capabilities(self) -> Capabilities:
        return Capabilities("fake")

    def reconcile(self, state: HostState, *, may_remove: bool = True) -> HostStatus:
        with self._lock:
            self._check_outage()
            vetted = vet(state)
            errors = self.faults | vetted.errors
            wanted = vetted.state if may_remove else union(self.host.state, vetted.state)
            changes = _differences(self.host.state, wanted)
            self.host.state = wanted
            return HostStatus(statuses(state, errors), changes)

    def open_tap(self, port_id: str) -> int:
        with self._lock:
            self._check_outage()
            if port_id not in {port.id for port in self.host.state.ports}:
                raise DriverFault(f"The port {port_id} is not plugged on this host yet.", retry=True)
            return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def stats(self) -> Mapping[str, PortCounters]:
        with self._lock:
            return {port.id: PortCounters(0, 0, 0, 0, 0, 0) for port in self.host.state.ports}

    def teardown(self) -> None:
        with self._lock:
            self.host.state = HostState()

    def close(self) -> None:
        """Nothing is held open."""

    def _check_outage(self) -> None:
        if self.outage is not None:
            raise DriverFault(self.outage, retry=True)


def _differences(old: HostState, new: HostState) -> int:
    before = {*old.networks, *old.ports, *old.security_groups, *old.routers}
    after = {*new.networks, *new.ports, *new.security_groups, *new.routers}
    return len(before ^ after)
