"""Derives what to answer on each network from the wanted state. Pure."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pilvi.network.drivers import names
from pilvi.network.drivers.protocol import DhcpOption, HostRoute, HostState, Network, Port, Router, Subnet

METADATA_ADDRESS = "169.254.169.254"
_ROUTER_LIFETIME_S = 1800
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Lease:
    """What a port is told by DHCP, version 4."""

    ip: str
    cidr: str
    server_ip: str
    hostname: str
    domain: str
    mtu: int
    gateway_ip: str | None
    nameservers: tuple[str, ...]
    routes: tuple[HostRoute, ...]
    options: tuple[DhcpOption, ...] = ()


@dataclass(frozen=True, slots=True)
class Lease6:
    """What a port is told by DHCP, version 6. Without addresses it only learns where names are resolved."""

    addresses: tuple[str, ...]
    nameservers: tuple[str, ...]
    domain: str


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    network_id: str
    namespace: str
    service_mac: str
    leases: Mapping[str, Lease] = field(default_factory=dict)  # by MAC
    leases6: Mapping[str, Lease6] = field(default_factory=dict)  # by MAC
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # addresses by name, lower case, no last dot
    reverse: Mapping[str, str] = field(default_factory=dict)  # name by address
    domain: str = ""
    resolvers: tuple[str, ...] = ()  # whom to ask about other names, through this namespace


@dataclass(frozen=True, slots=True)
class Prefix:
    cidr: str
    is_autonomous: bool


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What is said about a link by router advertisements, and from where."""

    namespace: str
    link: str
    mac: str
    mtu: int
    prefixes: tuple[Prefix, ...]
    is_managed: bool
    has_other: bool
    lifetime_s: int
    nameservers: tuple[str, ...]
    domain: str


@dataclass(frozen=True, slots=True)
class Plan:
    networks: Mapping[str, NetworkPlan]  # by network id
    advertisements: Mapping[tuple[str, str], Advertisement]  # by (namespace, link)


def plan(state: HostState, tag: str, resolvers: tuple[str, ...] = ()) -> Plan:
    ports: dict[str, list[Port]] = {network.id: [] for network in state.networks}
    for port in state.ports:
        ports.setdefault(port.network_id, []).append(port)
    served = [network for network in state.networks if network.service_port is not None]
    return Plan(
        {network.id: _network(network, ports[network.id], tag, resolvers) for network in served},
        {(one.namespace, one.link): one for one in _advertisements(state, tag)},
    )


def _network(network: Network, ports: list[Port], tag: str, resolvers: tuple[str, ...]) -> NetworkPlan:
    assert network.service_port is not None
    domain = network.dns_domain.rstrip(".").lower()
    by_name: dict[str, tuple[str, ...]] = {}
    reverse: dict[str, str] = {}
    for port in ports:
        name = ".".join(filter(None, (hostname(port), domain)))
        addresses = tuple(one.ip for one in port.fixed_ips)
        by_name[name] = by_name.get(name, ()) + addresses
        reverse |= dict.fromkeys(addresses, name)
    upstream = [one for subnet in network.subnets for one in subnet.dns_nameservers if _is_resolver(one)]
    return NetworkPlan(
        network_id=network.id,
        namespace=names.service_namespace(tag, network.id),
        service_mac=network.service_port.mac.lower(),
        leases={port.mac.lower(): lease for port in ports if (lease := _lease(network, port, domain)) is not None},
        leases6={port.mac.lower(): wide for port in ports if (wide := _lease6(network, port, domain)) is not None},
        names=by_name,
        reverse=reverse,
        domain=domain,
        resolvers=tuple(dict.fromkeys([*upstream, *resolvers])),
    )


def hostname(port: Port) -> str:
    """The port's own name, or one made of its first address; always a name that DNS can carry."""
    own = port.hostname.lower().split(".")[0]
    if _LABEL.fullmatch(own):
        return own
    first = port.fixed_ips[0].ip if port.fixed_ips else port.id[:8]
    return "host-" + re.sub(r"[^a-z0-9]+", "-", first).strip("-")


def _lease(network: Network, port: Port, domain: str) -> Lease | None:
    """The first address of a subnet with DHCP; a client can only be given one."""
    assert network.service_port is not None
    servers = {one.subnet_id: one.ip for one in network.service_port.fixed_ips}
    subnets = {subnet.id: subnet for subnet in network.subnets if subnet.ip_version == 4 and subnet.enable_dhcp}
    for one in port.fixed_ips:
        subnet = subnets.get(one.subnet_id)
        if subnet is None:
            continue
        server_ip = servers.get(subnet.id, METADATA_ADDRESS)
        own_server = () if server_ip == METADATA_ADDRESS else (server_ip,)
        metadata = (HostRoute(f"{METADATA_ADDRESS}/32", own_server[0]),) if own_server else ()
        return Lease(
            ip=one.ip,
            cidr=subnet.cidr,
            server_ip=server_ip,
            hostname=hostname(port),
            domain=domain,
            mtu=network.mtu,
            gateway_ip=subnet.gateway_ip,
            nameservers=_nameservers(subnet) or own_server,
            routes=(*metadata, *subnet.host_routes),
            options=tuple(option for option in port.extra_dhcp_opts if option.ip_version == 4),
        )
    return None


def _lease6(network: Network, port: Port, domain: str) -> Lease6 | None:
    assert network.service_port is not None
    servers = {one.subnet_id: one.ip for one in network.service_port.fixed_ips}
    subnets = {
        subnet.id: subnet
        for subnet in network.subnets
        if subnet.ip_version == 6 and subnet.ipv6_address_mode in {"dhcpv6-stateful", "dhcpv6-stateless"}
    }
    mine = [one for one in port.fixed_ips if one.subnet_id in subnets]
    if not mine:
        return None
    subnet = subnets[mine[0].subnet_id]
    own_server = (servers[subnet.id],) if subnet.id in servers else ()
    stateful = [one.ip for one in mine if subnets[one.subnet_id].ipv6_address_mode == "dhcpv6-stateful"]
    return Lease6(tuple(stateful), _nameservers(subnet) or own_server, domain)


def _advertisements(state: HostState, tag: str) -> list[Advertisement]:
    networks = {network.id: network for network in state.networks}
    found = []
    routed: set[str] = set()
    for router in state.routers:
        if router.admin_state_up:
            found += _router_advertisements(router, networks, tag, routed)
    for network in state.networks:
        isolated = [one for one in _advertised(network) if one.id not in routed]
        if network.service_port is not None and isolated:
            place = (names.service_namespace(tag, network.id), names.SERVICE_LINK, network.service_port.mac)
            found.append(_advertisement(network, isolated, place, lifetime_s=0))
    return found


def _router_advertisements(
    router: Router, networks: Mapping[str, Network], tag: str, routed: set[str]
) -> list[Advertisement]:
    found = []
    subnets: dict[tuple[str, str, str], set[str]] = {}
    for interface in router.interfaces:
        key = (interface.port_id, interface.network_id, interface.mac)
        subnets.setdefault(key, set()).add(interface.subnet_id)
    for (port_id, network_id, mac), ids in subnets.items():
        network = networks.get(network_id)
        mine = [one for one in _advertised(network) if one.id in ids] if network is not None else []
        if network is not None and mine:
            routed |= {one.id for one in mine}
            place = (names.router_namespace(tag, router.id), names.link_name(names.ROUTER_LINK, port_id), mac)
            found.append(_advertisement(network, mine, place, lifetime_s=_ROUTER_LIFETIME_S))
    return found


def _advertised(network: Network) -> list[Subnet]:
    return [subnet for subnet in network.subnets if subnet.ip_version == 6 and subnet.ipv6_ra_mode is not None]


def _advertisement(
    network: Network, subnets: list[Subnet], place: tuple[str, str, str], *, lifetime_s: int
) -> Advertisement:
    servers = {one.subnet_id: one.ip for one in network.service_port.fixed_ips} if network.service_port else {}
    nameservers: list[str] = []
    for subnet in subnets:
        own = (servers[subnet.id],) if subnet.id in servers else ()
        nameservers += _nameservers(subnet) or own
    modes = {subnet.ipv6_ra_mode for subnet in subnets}
    return Advertisement(
        *place,
        mtu=network.mtu,
        prefixes=tuple(Prefix(one.cidr, one.ipv6_ra_mode != "dhcpv6-stateful") for one in subnets),
        is_managed="dhcpv6-stateful" in modes,
        has_other="dhcpv6-stateless" in modes,
        lifetime_s=lifetime_s,
        nameservers=tuple(dict.fromkeys(nameservers)),
        domain=network.dns_domain.rstrip(".").lower(),
    )


def _nameservers(subnet: Subnet) -> tuple[str, ...]:
    return tuple(one for one in subnet.dns_nameservers if _is_resolver(one))


def _is_resolver(text: str) -> bool:
    """The unspecified address is the API's way to say: no resolver."""
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False
