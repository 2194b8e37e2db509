"""A subnet: a prefix of a network, which of its addresses are given out, and what guests are told. Pure checks."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pilvi.kernel.errors import BadRequest
from pilvi.network.standard.model import Standard, conflict, invalid

Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network
Pool = dict[str, str]

NAMESERVERS_LIMIT, ROUTES_LIMIT, POOLS_LIMIT = 5, 20, 50
SELF_MADE = ("slaac", "dhcpv6-stateless")
"""Modes in which a guest makes its address itself."""


@dataclass(slots=True, kw_only=True)
class Subnet(Standard):
    network_id: str
    ip_version: int
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    ipv6_ra_mode: str | None
    ipv6_address_mode: str | None
    subnetpool_id: str | None
    allocation_pools: list[Pool]
    dns_nameservers: list[str]
    host_routes: list[dict[str, str]]
    service_types: list[str]
    dns_publish_fixed_ip: bool
    external: bool = field(default=False)

    @property
    def is_auto_address(self) -> bool:
        return self.ipv6_address_mode in SELF_MADE

    def can_hold(self, ip: str) -> bool:
        """Whether a port may have this address."""
        prefix = ipaddress.ip_network(self.cidr)
        address = ipaddress.ip_address(ip)
        if address not in prefix:
            return False
        if prefix.num_addresses <= 2:
            return True
        return address != prefix.network_address and (self.ip_version == 6 or address != prefix.broadcast_address)


def parse_prefix(text: str, version: int) -> Prefix:
    if "/" not in text:
        raise invalid(f"'{text}' isn't a recognized IP subnet cidr: give the length of the prefix after a slash.")
    try:
        prefix = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise invalid(f"'{text}' is not a valid CIDR: {error}.") from None
    if prefix.version != version:
        raise invalid(f"cidr '{text}' does not match the ip_version '{version}'")
    if prefix.prefixlen == 0:
        raise invalid(f"'{text}' has a prefix length of 0, which is everything.")
    return prefix


def address(text: str, version: int, what: str) -> str:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        raise invalid(f"{what} '{text}' is not a valid IP address.") from None
    if found.version != version:
        raise invalid(f"{what} '{text}' does not match the ip_version '{version}'")
    return str(found)


def check_gateway(prefix: Prefix, gateway: str) -> None:
    found = ipaddress.ip_address(gateway)
    if prefix.num_addresses <= 2 or found not in prefix:
        return
    if found == prefix.network_address or (prefix.version == 4 and found == prefix.broadcast_address):
        raise invalid("Gateway is not valid on subnet")


def default_gateway(prefix: Prefix) -> str:
    return str(prefix[1] if prefix.num_addresses > 1 else prefix[0])


def default_pools(prefix: Prefix, gateway: str | None) -> list[Pool]:
    """Every address that a port may have, but the gateway's."""
    first, last = int(prefix.network_address), int(prefix.broadcast_address)
    if prefix.num_addresses > 2:
        first, last = first + 1, last - (prefix.version == 4)
    kind = type(prefix.network_address)
    pieces = [(first, last)]
    if gateway is not None and first <= (number := int(ipaddress.ip_address(gateway))) <= last:
        pieces = [(first, number - 1), (number + 1, last)]
    return [{"start": str(kind(a)), "end": str(kind(b))} for a, b in pieces if a <= b]


def check_pools(prefix: Prefix, pools: Sequence[Pool], gateway: str | None) -> list[Pool]:
    if len(pools) > POOLS_LIMIT:
        raise invalid(f"A subnet has {POOLS_LIMIT} allocation pools at most.")
    found = sorted((_pool(prefix, pool) for pool in pools), key=lambda pair: int(pair[0]))
    for (_, end), (start, _) in pairwise(found):
        if int(start) <= int(end):
            raise conflict(
                "OverlappingAllocationPools", f"Found overlapping allocation pools for subnet {prefix}: {start}, {end}."
            )
    for start, end in found:
        if gateway is not None and int(start) <= int(ipaddress.ip_address(gateway)) <= int(end):
            raise conflict(
                "GatewayConflictWithAllocationPools",
                f"Gateway ip {gateway} conflicts with allocation pool {start}-{end}.",
            )
    return [{"start": str(start), "end": str(end)} for start, end in found]


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _pool(prefix: Prefix, pool: Pool) -> tuple[Address, Address]:
    text = f"{pool.get('start')}-{pool.get('end')}"
    bad = BadRequest(f"The allocation pool {text} is not valid.", type="InvalidAllocationPool")
    try:
        start, end = ipaddress.ip_address(pool["start"].strip()), ipaddress.ip_address(pool["end"].strip())
    except (ValueError, KeyError, AttributeError):
        raise bad from None
    if start.version != prefix.version or end.version != prefix.version or int(start) > int(end):
        raise bad
    if start not in prefix or end not in prefix:
        raise BadRequest(
            f"The allocation pool {text} spans beyond the subnet cidr {prefix}.", type="OutOfBoundsAllocationPool"
        )
    return start, end


def check_modes(version: int, enable_dhcp: bool, ra_mode: str | None, address_mode: str | None, prefix: Prefix) -> None:
    if version == 4:
        if ra_mode or address_mode:
            raise invalid("ipv6_ra_mode and ipv6_address_mode are not valid when ip_version is 4")
        return
    if (ra_mode or address_mode) and not enable_dhcp:
        raise invalid("ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False")
    if ra_mode and address_mode and ra_mode != address_mode:
        raise invalid(
            f"ipv6_ra_mode set to '{ra_mode}' with ipv6_address_mode set to '{address_mode}' is not valid. If both "
            "attributes are set, they must be the same value"
        )
    if (ra_mode in SELF_MADE or address_mode in SELF_MADE) and prefix.prefixlen != 64:
        raise invalid(f"Invalid CIDR {prefix} for IPv6 address mode. OpenStack uses the EUI-64 address format, "
                      "which requires the prefix to be /64")  # fmt: skip


def check_nameservers(values: Sequence[str]) -> list[str]:
    if len(values) > NAMESERVERS_LIMIT:
        raise BadRequest(
            f"Unable to complete operation. The number of DNS nameservers exceeds the limit {NAMESERVERS_LIMIT}.",
            type="DNSNameServersExhausted",
        )
    if len(set(values)) != len(values):
        raise invalid("Duplicate nameserver.")
    try:
        return [str(ipaddress.ip_address(value.strip())) for value in values]
    except ValueError as error:
        raise invalid(f"nameserver: {error}.") from None


def check_routes(values: Sequence[dict[str, str]], version: int) -> list[dict[str, str]]:
    if len(values) > ROUTES_LIMIT:
        raise BadRequest(
            f"Unable to complete operation. The number of host routes exceeds the limit {ROUTES_LIMIT}.",
            type="HostRoutesExhausted",
        )
    found = []
    for value in values:
        if set(value) != {"destination", "nexthop"}:
            raise invalid(f"Invalid host route {value}: it has a destination and a nexthop.")
        if value["destination"] in ("0.0.0.0/0", "::/0"):
            destination = value["destination"]
        else:
            destination = str(parse_prefix(value["destination"], version))
        found.append({"destination": destination, "nexthop": address(value["nexthop"], version, "nexthop")})
    return found


def check_apart(prefix: Prefix, others: Sequence[Subnet], network_id: str) -> None:
    for other in others:
        if other.ip_version == prefix.version and prefix.overlaps(ipaddress.ip_network(other.cidr)):
            raise invalid(
                f"Requested subnet with cidr: {prefix} for network: {network_id} overlaps with another subnet"
            )
