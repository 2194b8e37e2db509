"""What this machine and its guests use, read when somebody asks: nothing runs between two scrapes."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pilvi.compute.drivers.protocol import DriverFault, HasUsage, Hypervisor
from pilvi.kernel import measures
from pilvi.kernel.metrics import Collected
from pilvi.network.drivers.protocol import NetworkDriver

MODES: Final = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


class HostUsage:
    """A collector: the machine from /proc, guests from the hypervisor, their traffic from the taps."""

    def __init__(
        self,
        hypervisor: Hypervisor,
        network: NetworkDriver,
        servers: Callable[[], Iterable[Mapping[str, Any]]],
        directory: Path,
    ) -> None:
        """`servers` gives the wanted servers with their nics, which say whose a port is."""
        self._hypervisor = hypervisor
        self._network = network
        self._servers = servers
        self._directory = directory

    def __call__(self) -> Collected:
        yield from _machine(self._directory)
        yield from self._guests()
        yield from self._traffic()

    def _guests(self) -> Collected:
        if not isinstance(self._hypervisor, HasUsage):
            return
        try:
            used = self._hypervisor.usage()
        except DriverFault as fault:
            raise OSError(fault.message) from None
        yield measures.GUESTS, (), float(len(used))
        for id, usage in used.items():
            yield measures.GUEST_CPU, (id,), usage.cpu_s
            yield measures.GUEST_MEMORY, (id,), float(usage.memory_bytes)
            yield measures.GUEST_READ, (id,), float(usage.read_bytes)
            yield measures.GUEST_WRITTEN, (id,), float(usage.written_bytes)

    def _traffic(self) -> Collected:
        """Summed over a server's ports."""
        by_port = self._network.stats()
        for server in self._servers():
            counters = [by_port[nic["port_id"]] for nic in server.get("nics") or () if nic["port_id"] in by_port]
            if not counters:
                continue
            label = (str(server["id"]),)
            yield measures.GUEST_RECEIVED, label, float(sum(each.received_bytes for each in counters))
            yield measures.GUEST_SENT, label, float(sum(each.sent_bytes for each in counters))
            dropped = sum(each.received_dropped + each.sent_dropped for each in counters)
            yield measures.GUEST_DROPPED, label, float(dropped)


def _machine(directory: Path) -> Collected:
    ticks = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    for mode, value in zip(MODES, ticks, strict=False):
        yield measures.HOST_CPU, (mode,), int(value) / _TICKS_PER_S
    yield measures.HOST_LOAD, (), float(Path("/proc/loadavg").read_text().split()[0])
    yield measures.HOST_CPUS, (), float(os.cpu_count() or 1)
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    yield measures.HOST_MEMORY, (), int(fields["MemTotal"].split()[0]) * 1024.0
    yield measures.HOST_MEMORY_FREE, (), int(fields["MemAvailable"].split()[0]) * 1024.0
    disk = shutil.disk_usage(directory)
    yield measures.HOST_DISK, (), float(disk.total)
    yield measures.HOST_DISK_FREE, (), float(disk.free)
