"""A subnet pool: prefixes that subnets are cut from. Pure choice of a free one."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from pilvi.kernel.errors import BadRequest
from pilvi.network.standard.model import Standard, conflict, invalid

Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network
PREFIXES_LIMIT = 100
LEAST = {4: 8, 6: 64}
WHOLE = {4: 32, 6: 128}


@dataclass(slots=True, kw_only=True)
class SubnetPool(Standard):
    prefixes: list[str]
    ip_version: int
    default_prefixlen: int
    min_prefixlen: int
    max_prefixlen: int
    default_quota: int | None
    address_scope_id: str | None
    is_default: bool
    shared: bool = False


def parse_prefixes(values: Sequence[str]) -> list[Prefix]:
    """The prefixes without overlaps, as few as say the same."""
    if not values or len(values) > PREFIXES_LIMIT:
        raise invalid(f"A subnet pool has 1 to {PREFIXES_LIMIT} prefixes.")
    try:
        found = [ipaddress.ip_network(value.strip(), strict=False) for value in values]
    except ValueError as error:
        raise invalid(f"prefixes: {error}.") from None
    if len({prefix.version for prefix in found}) > 1:
        raise BadRequest("Cannot mix IPv4 and IPv6 prefixes in a subnet pool.", type="PrefixVersionMismatch")
    if found[0].version == 4:
        return list(ipaddress.collapse_addresses(p for p in found if isinstance(p, ipaddress.IPv4Network)))
    return list(ipaddress.collapse_addresses(p for p in found if isinstance(p, ipaddress.IPv6Network)))


def lengths(version: int, least: int | None, most: int | None, usual: int | None) -> tuple[int, int, int]:
    """Minimum, maximum and default prefix length, checked against each other."""
    low = LEAST[version] if least is None else least
    high = WHOLE[version] if most is None else most
    if low > WHOLE[version] or high > WHOLE[version]:
        raise BadRequest(f"Unbounded prefix length: at most {WHOLE[version]}.", type="UnsupportedMinSubnetPoolPrefix")
    if low > high:
        raise BadRequest(
            f"Illegal prefix bounds: min_prefixlen={low}, max_prefixlen={high}.", type="IllegalSubnetPoolPrefixBounds"
        )
    default = low if usual is None else usual
    if not low <= default <= high:
        raise BadRequest(
            f"Illegal prefix bounds: default_prefixlen={default} is not between {low} and {high}.",
            type="IllegalSubnetPoolPrefixBounds",
        )
    return low, high, default


def check_length(pool: SubnetPool, length: int) -> None:
    if length < pool.min_prefixlen:
        raise BadRequest(
            f"Unable to allocate subnet with prefix length {length}, minimum allowed prefix is {pool.min_prefixlen}.",
            type="MinPrefixSubnetAllocationError",
        )
    if length > pool.max_prefixlen:
        raise BadRequest(
            f"Unable to allocate subnet with prefix length {length}, maximum allowed prefix is {pool.max_prefixlen}.",
            type="MaxPrefixSubnetAllocationError",
        )


def choose(pool: SubnetPool, used: Sequence[str], length: int) -> Prefix:
    """The first free prefix of this length."""
    check_length(pool, length)
    taken = sorted((ipaddress.ip_network(one) for one in used), key=lambda one: int(one.network_address))
    size = 1 << (WHOLE[pool.ip_version] - length)
    for text in pool.prefixes:
        room = ipaddress.ip_network(text)
        start, end = int(room.network_address), int(room.broadcast_address)
        for one in taken:
            first, last = int(one.network_address), int(one.broadcast_address)
            if first <= start + size - 1 and last >= start:
                start = -(-(last + 1) // size) * size
        if start + size - 1 <= end:
            kind = ipaddress.IPv4Network if pool.ip_version == 4 else ipaddress.IPv6Network
            return kind((start, length))
    raise conflict("SubnetAllocationError", "Failed to allocate subnet: Insufficient prefix space to allocate subnet "
                   f"size /{length}.")  # fmt: skip


def check_free(pool: SubnetPool, used: Sequence[str], wanted: Prefix) -> None:
    """A prefix that the client chose must be in the pool and free."""
    check_length(pool, wanted.prefixlen)
    inside = any(_holds(ipaddress.ip_network(text), wanted) for text in pool.prefixes)
    if not inside or any(_overlap(ipaddress.ip_network(one), wanted) for one in used):
        text = f"Cannot allocate requested subnet {wanted} from the available set of prefixes."
        raise conflict("SubnetAllocationError", f"Failed to allocate subnet: {text}")


def _holds(room: Prefix, one: Prefix) -> bool:
    return room.version == one.version and one.network_address in room and one.broadcast_address in room


def _overlap(one: Prefix, other: Prefix) -> bool:
    return one.version == other.version and (one.network_address in other or other.network_address in one)
