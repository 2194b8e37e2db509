"""Works out which established connections a change of state has to cut. Pure."""

import ipaddress
from collections import defaultdict
from collections.abc import Callable

from pilvi.network.drivers.linux import security_groups
from pilvi.network.drivers.linux.conntrack import Connection
from pilvi.network.drivers.protocol import HostState, Port, Router

Meant = Callable[[Connection], bool]


def everything(_: Connection) -> bool:
    return True


def revoked(old: HostState, new: HostState) -> Meant | None:
    """The connections of ports that may do less than before; None when nobody lost anything."""
    shrunk = security_groups.shrunk(old.security_groups, new.security_groups)
    zones = {network.id: network.zone for network in old.networks}
    ports = {port.id: port for port in new.ports}
    addresses: dict[int, set[str]] = defaultdict(set)
    prefixes: dict[int, list[ipaddress.IPv4Network | ipaddress.IPv6Network]] = defaultdict(list)
    for port in old.ports:
        if _has_lost(port, ports.get(port.id), shrunk):
            zone = zones[port.network_id]
            addresses[zone] |= {one.ip for one in port.fixed_ips}
            prefixes[zone] += [ipaddress.ip_network(pair.ip_address) for pair in port.allowed_address_pairs]
    if not addresses and not prefixes:
        return None

    def is_meant(connection: Connection) -> bool:
        if not addresses[connection.zone].isdisjoint(connection.addresses):
            return True
        ends = [ipaddress.ip_address(one) for one in connection.addresses] if prefixes[connection.zone] else []
        return any(end in prefix for prefix in prefixes[connection.zone] for end in ends)

    return is_meant


def _has_lost(old: Port, new: Port | None, shrunk: set[str]) -> bool:
    if new is None or new.network_id != old.network_id:
        return True
    if not new.port_security_enabled:
        return False
    if not old.port_security_enabled:
        return True
    return bool(
        set(old.security_groups) - set(new.security_groups)
        or set(new.security_groups) & shrunk
        or {one.ip for one in old.fixed_ips} - {one.ip for one in new.fixed_ips}
        or set(old.allowed_address_pairs) - set(new.allowed_address_pairs)
    )


def untranslated(old: Router, new: Router) -> Meant | None:
    """The connections through a router whose translation is no longer true; None when all of them still are."""
    if old.gateway != new.gateway or old.enable_snat != new.enable_snat:
        return everything
    gone = {(one.floating_ip, one.fixed_ip) for one in old.floating_ips} - {
        (one.floating_ip, one.fixed_ip) for one in new.floating_ips
    }
    lost = {floating for floating, _ in gone}
    return (lambda connection: not lost.isdisjoint(connection.addresses)) if lost else None
