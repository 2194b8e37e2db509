"""Where a server goes: a pure function from what hosts have and what is asked to a ranking with reasons.

Nothing here reads a database or a clock. A host that is turned down is turned down with a reason, and the reasons are
what users see when nothing fits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Amount:
    """What a host has of one resource class."""

    total: int
    reserved: int
    ratio: float
    used: int
    most: int
    """The most that one server may take."""

    @property
    def free(self) -> int:
        return int((self.total - self.reserved) * self.ratio) - self.used


@dataclass(frozen=True, slots=True)
class HostState:
    name: str
    provider_id: str
    resources: Mapping[str, Amount]
    traits: frozenset[str]
    availability_zone: str
    is_up: bool
    is_enabled: bool
    disabled_reason: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What one server needs."""

    resources: Mapping[str, int]
    required_traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()
    availability_zone: str | None = None
    host: str | None = None
    """Only this host, when an administrator named one."""


@dataclass(frozen=True, slots=True)
class Refusal:
    host: str
    reason: str
    """For operators: names the numbers."""
    tenant_reason: str
    """For users: no host names, no one else's numbers."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Hosts that fit, best first, and why the others do not."""

    hosts: tuple[HostState, ...]
    refused: tuple[Refusal, ...] = field(default=())

    def explanation(self) -> str:
        """One sentence for the user why no host fits, the most frequent reasons first."""
        if not self.refused:
            return "No valid host was found. This cloud has no host yet; start an agent on one."
        counts: dict[str, int] = {}
        for refusal in self.refused:
            counts[refusal.tenant_reason] = counts.get(refusal.tenant_reason, 0) + 1
        parts = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        total = len(self.refused)
        told = "; ".join(f"{reason} (on {n} of {total} hosts)" for reason, n in parts[:4])
        return f"No valid host was found. {told}."


UNITS = {"VCPU": "vCPUs", "MEMORY_MB": "MiB of memory", "DISK_GB": "GiB of disk"}


def rank(hosts: list[HostState], request: Request) -> Ranking:
    """Hosts that fit, those with the most free memory first; ties by name, so that equal input gives equal output."""
    fitting, refused = [], []
    for host in hosts:
        refusal = _refuse(host, request)
        if refusal is None:
            fitting.append(host)
        else:
            refused.append(refusal)
    fitting.sort(key=lambda h: (-_spare(h, "MEMORY_MB"), -_spare(h, "VCPU"), h.name))
    return Ranking(tuple(fitting), tuple(refused))


def _spare(host: HostState, resource: str) -> int:
    amount = host.resources.get(resource)
    return amount.free if amount else 0


def _refuse(host: HostState, request: Request) -> Refusal | None:
    """The first reason against a host, in the order in which a person would want to hear them."""
    if request.host is not None and host.name != request.host:
        return Refusal(host.name, f"{request.host} was asked for", "another host was asked for")
    if not host.is_up:
        return Refusal(host.name, "its agent does not answer", "the host is down")
    if not host.is_enabled:
        why = f": {host.disabled_reason}" if host.disabled_reason else ""
        return Refusal(host.name, f"it is disabled{why}", "the host is closed for new servers")
    if request.availability_zone and host.availability_zone != request.availability_zone:
        text = f"it is in availability zone {host.availability_zone}, not {request.availability_zone}"
        return Refusal(host.name, text, f"not in availability zone {request.availability_zone}")
    missing = request.required_traits - host.traits
    if missing:
        text = f"it lacks {', '.join(sorted(missing))}"
        return Refusal(host.name, text, f"no {', '.join(sorted(missing))}")
    present = request.forbidden_traits & host.traits
    if present:
        text = f"it has the unwanted {', '.join(sorted(present))}"
        return Refusal(host.name, text, f"has the unwanted {', '.join(sorted(present))}")
    return _too_small(host, request)


def _too_small(host: HostState, request: Request) -> Refusal | None:
    for resource, asked in request.resources.items():
        amount = host.resources.get(resource)
        unit = UNITS.get(resource, resource)
        if amount is None:
            return Refusal(host.name, f"it has no {resource}", f"no {resource}")
        if asked > amount.most:
            text = f"{asked} {unit} asked, one server may have {amount.most}"
            return Refusal(
                host.name, text, f"the flavor asks for {asked} {unit}, more than one host can give to a server"
            )
        if asked > amount.free:
            offered = f"{amount.total - amount.reserved} x {amount.ratio:g}"
            text = f"{asked} {unit} asked, {max(amount.free, 0)} free of {offered}"
            return Refusal(host.name, text, f"the flavor asks for {asked} {unit}, less than that is free")
    return None
