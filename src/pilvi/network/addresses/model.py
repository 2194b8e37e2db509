"""Addresses of a subnet as numbers: which may be given out, in which order. Pure."""

import ipaddress
from dataclasses import dataclass

from pilvi.network.subnets.model import Subnet

IP_LIMIT_V6 = 2**62
"""How much of a large pool is ever looked at, so that a position fits into an integer column."""


@dataclass(frozen=True, slots=True)
class Allocation:
    subnet_id: str
    ip: str
    port_id: str
    network_id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """One fixed address that a client asks for; at least one of the two is set."""

    subnet_id: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Ranges:
    """The allocation pools of a subnet laid end to end, so that a position stands for an address."""

    version: int
    ranges: tuple[tuple[int, int], ...]
    """First address and number of addresses of each pool."""

    @property
    def size(self) -> int:
        return min(sum(count for _, count in self.ranges), IP_LIMIT_V6)

    def at(self, position: int) -> str:
        for first, count in self.ranges:
            if position < count:
                kind = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
                return str(kind(first + position))
            position -= count
        raise IndexError(position)


def ranges_of(subnet: Subnet) -> Ranges:
    found = []
    for pool in subnet.allocation_pools:
        first, last = int(ipaddress.ip_address(pool["start"])), int(ipaddress.ip_address(pool["end"]))
        found.append((first, last - first + 1))
    return Ranges(subnet.ip_version, tuple(found))


def eui64(cidr: str, mac: str) -> str:
    """The address that a station makes for itself of its MAC and the advertised prefix."""
    octets = bytes.fromhex(mac.replace(":", ""))
    interface = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return str(ipaddress.IPv6Network(cidr, strict=False)[int.from_bytes(interface, "big")])


def in_pools(subnet: Subnet, ip: str) -> bool:
    number = int(ipaddress.ip_address(ip))
    return any(first <= number < first + count for first, count in ranges_of(subnet).ranges)
