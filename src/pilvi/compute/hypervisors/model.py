"""A hypervisor: a host with what it has and what of it is taken."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Hypervisor:
    id: str
    number: int
    host: str
    state: str
    status: str
    disabled_reason: str | None
    facts: dict[str, Any]
    running_vms: int
    vcpus_used: int
    memory_used_mib: int
    disk_used_gib: int
    servers: list[dict[str, str]] = field(default_factory=list)
