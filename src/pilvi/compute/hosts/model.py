"""What passes between a host's agent and the control plane, and what a host can hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What an agent says of its machine when it starts and when something changes."""

    vcpus: int
    memory_mib: int
    disk_gib: int
    memory_used_mib: int
    disk_free_gib: int
    hypervisor_type: str
    hypervisor_version: int
    host_ip: str
    cpu_info: Mapping[str, Any]
    traits: tuple[str, ...]
    version: str
    uptime: str = ""
    running_vms: int = 0
    guests: Mapping[str, str] | None = None
    """Every guest that is there, wanted or not, and its power; the auditor compares. None: the host does not say."""


RESERVED_MEMORY_MIB = 512
"""Left to the machine itself."""


def facts_of(document: Mapping[str, Any]) -> HostFacts:
    """From the agent's report; numbers are numbers, everything is bounded."""
    return HostFacts(
        vcpus=int(document.get("vcpus", 1)),
        memory_mib=int(document.get("memory_mib", 0)),
        disk_gib=int(document.get("disk_gib", 0)),
        memory_used_mib=int(document.get("memory_used_mib", 0)),
        disk_free_gib=int(document.get("disk_free_gib", 0)),
        hypervisor_type=str(document.get("hypervisor_type", "QEMU"))[:32],
        hypervisor_version=int(document.get("hypervisor_version", 0)),
        host_ip=str(document.get("host_ip", "127.0.0.1"))[:64],
        cpu_info=dict(document.get("cpu_info") or {}),
        traits=tuple(str(t)[:255] for t in document.get("traits", ())[:500]),
        version=str(document.get("version", ""))[:64],
        uptime=str(document.get("uptime", ""))[:255],
        running_vms=int(document.get("running_vms", 0)),
        guests=_guests(document.get("guests")),
    )


GUESTS_MOST = 10_000


def _guests(found: Any) -> dict[str, str] | None:
    if not isinstance(found, Mapping):
        return None
    return {str(id)[:36]: str(power)[:16] for id, power in list(found.items())[:GUESTS_MOST]}
