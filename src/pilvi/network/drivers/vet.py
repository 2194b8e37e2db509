"""Sorts out what cannot be applied, before anything is: one bad object must never harm another. Pure.

What passes here is safe to be written into rules: addresses parse, MACs are MACs, references lead somewhere.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from pilvi.network.drivers import names
from pilvi.network.drivers.protocol import (
    AddressPair,
    FixedIp,
    HostState,
    Network,
    ObjectStatus,
    Port,
    Router,
    SecurityGroup,
    Subnet,
)

_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}")  # An even first byte: never a multicast address.
_LINK_NAME = re.compile(r"[A-Za-z0-9_-]{1,15}")
_MTU_MIN, _MTU_MAX = 576, 65535

Key = tuple[str, str]
O = TypeVar("O", Network, Port, Router, SecurityGroup)  # noqa: E741


class Unfit(ValueError):
    """Why an object cannot be applied, for its owner to read."""


@dataclass(slots=True)
class Vetted:
    """The part of a state that can be applied, and why the rest cannot."""

    state: HostState
    errors: dict[Key, str] = field(default_factory=dict)


def vet(state: HostState) -> Vetted:
    errors: dict[Key, str] = {}
    zones: set[int] = set()
    namespaces: set[str] = set()
    networks = _keep("network", state.networks, lambda one: _network(one, zones, namespaces), errors)
    known = {network.id: network for network in networks}
    groups = _keep("security_group", state.security_groups, _group, errors)
    ports = _keep("port", state.ports, lambda one: _port(one, known), errors)
    router_spaces: set[str] = set()
    routers = _keep("router", state.routers, lambda one: _router(one, known, router_spaces, errors), errors)
    return Vetted(HostState(networks, ports, groups, routers), errors)


def _keep(kind: str, objects: Iterable[O], check: Callable[[O], O], errors: dict[Key, str]) -> tuple[O, ...]:
    kept: dict[str, O] = {}
    for one in objects:
        try:
            if one.id in kept:
                raise Unfit(f"There are two {kind}s with the id {one.id}.")
            kept[one.id] = check(one)
        except ValueError as error:
            errors[kind, one.id] = str(error)
    return tuple(kept.values())


def _network(network: Network, zones: set[int], namespaces: set[str]) -> Network:
    if not _MTU_MIN <= network.mtu <= _MTU_MAX:
        raise Unfit(f"The MTU {network.mtu} is not between {_MTU_MIN} and {_MTU_MAX}.")
    if not 1 <= network.zone <= 65535 or network.zone in zones:
        raise Unfit(f"The conntrack zone {network.zone} is not between 1 and 65535 or is used by another network.")
    space = names.service_namespace("00000000", network.id)
    if space in namespaces:
        raise Unfit("Another network's id begins with the same eight digits.")
    subnets = tuple(_subnet(subnet) for subnet in network.subnets)
    service = network.service_port
    if service is not None:
        service = replace(service, mac=mac(service.mac), fixed_ips=_fixed_ips(service.fixed_ips))
    zones.add(network.zone)
    namespaces.add(space)
    return replace(network, subnets=subnets, service_port=service)


def _subnet(subnet: Subnet) -> Subnet:
    cidr = ipaddress.ip_network(subnet.cidr, strict=False)
    if cidr.version != subnet.ip_version:
        raise Unfit(f"The subnet {subnet.cidr} is not of IP version {subnet.ip_version}.")
    gateway = address(subnet.gateway_ip) if subnet.gateway_ip else None
    return replace(subnet, cidr=str(cidr), gateway_ip=gateway)


def _port(port: Port, networks: dict[str, Network]) -> Port:
    _known_network(port.network_id, networks)
    tap = port.tap_name or names.tap_name(port.id)
    if not _LINK_NAME.fullmatch(tap) or not names.is_own_link(tap):
        raise Unfit(f"{tap!r} is not a name that a tap may have.")
    pairs = tuple(_pair(pair) for pair in port.allowed_address_pairs)
    return replace(
        port, tap_name=tap, mac=mac(port.mac), fixed_ips=_fixed_ips(port.fixed_ips), allowed_address_pairs=pairs
    )


def _pair(pair: AddressPair) -> AddressPair:
    prefix = str(ipaddress.ip_network(pair.ip_address, strict=False))
    return AddressPair(prefix, mac(pair.mac_address) if pair.mac_address else None)


def _group(group: SecurityGroup) -> SecurityGroup:
    return replace(
        group,
        members4=tuple(str(ipaddress.IPv4Network(one, strict=False)) for one in group.members4),
        members6=tuple(str(ipaddress.IPv6Network(one, strict=False)) for one in group.members6),
    )


def _router(router: Router, networks: dict[str, Network], spaces: set[str], errors: dict[Key, str]) -> Router:
    space = names.router_namespace("00000000", router.id)
    if space in spaces:
        raise Unfit("Another router's id begins with the same eight digits.")
    gateway = router.gateway
    if gateway is not None:
        _known_network(gateway.network_id, networks)
        gateway = replace(gateway, mac=mac(gateway.mac), fixed_ips=_fixed_ips(gateway.fixed_ips))
    interfaces = []
    for interface in router.interfaces:
        _known_network(interface.network_id, networks)
        cidr = str(ipaddress.ip_network(interface.cidr, strict=False))
        interfaces.append(replace(interface, mac=mac(interface.mac), ip=address(interface.ip), cidr=cidr))
    for route in router.routes:
        ipaddress.ip_network(route.destination, strict=False)
        address(route.nexthop)
    floating_ips = []
    for one in router.floating_ips:
        try:
            pair = (str(ipaddress.IPv4Address(one.floating_ip)), str(ipaddress.IPv4Address(one.fixed_ip)))
            floating_ips.append(replace(one, floating_ip=pair[0], fixed_ip=pair[1]))
        except ValueError as error:
            errors["floating_ip", one.id] = str(error)
    spaces.add(space)
    return replace(router, gateway=gateway, interfaces=tuple(interfaces), floating_ips=tuple(floating_ips))


def _known_network(network_id: str, networks: dict[str, Network]) -> None:
    if network_id not in networks:
        raise Unfit(f"The network {network_id} is not on this host.")


def _fixed_ips(fixed_ips: tuple[FixedIp, ...]) -> tuple[FixedIp, ...]:
    return tuple(replace(one, ip=address(one.ip)) for one in fixed_ips)


def address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def mac(text: str) -> str:
    lower = text.lower()
    if not _MAC.fullmatch(lower):
        raise Unfit(f"{text!r} is not the MAC address of one station.")
    return lower


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


def union(old: HostState, new: HostState) -> HostState:
    """The new objects, and the old ones that the new state does not speak of."""
    return HostState(
        _kept(old.networks, new.networks),
        _kept(old.ports, new.ports),
        _kept(old.security_groups, new.security_groups),
        _kept(old.routers, new.routers),
    )


def _kept(old: tuple[N, ...], new: tuple[N, ...]) -> tuple[N, ...]:
    spoken_of = {one.id for one in new}
    return (*new, *(one for one in old if one.id not in spoken_of))


def statuses(state: HostState, errors: Mapping[Key, str]) -> tuple[ObjectStatus, ...]:
    """What is reported of each object: its own error, or that of what it rests on. ("host", "") is under them all."""

    def status(kind: str, id: str, *below: Key) -> ObjectStatus:
        keys: tuple[Key, ...] = ((kind, id), *below, ("host", ""))
        return ObjectStatus(kind, id, next((errors[key] for key in keys if key in errors), None))

    found = [status("network", network.id) for network in state.networks]
    found += [status("port", port.id, ("network", port.network_id)) for port in state.ports]
    found += [status("security_group", group.id) for group in state.security_groups]
    for router in state.routers:
        found.append(status("router", router.id))
        found += [status("floating_ip", one.id, ("router", router.id)) for one in router.floating_ips]
    return tuple(found)
