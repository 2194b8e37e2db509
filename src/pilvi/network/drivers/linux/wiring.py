"""Works out which namespaces, links, addresses and routes a state means. Pure."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pilvi.network.drivers import names
from pilvi.network.drivers.linux.links import Route
from pilvi.network.drivers.protocol import FixedIp, HostState, Network, Router, Subnet

METADATA_ADDRESS = "169.254.169.254"
Owner = tuple[str, str]  # kind and id of the object that a thing is there for

_QUIET = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"}
# Addresses are given by us and answer at once; nobody's advertisement configures our own ends.
_OWN_IPV6 = {
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.default.dad_transmits": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
}
DATA_PLANE_SYSCTLS = _QUIET | {"net.ipv4.ip_forward": "0"}
BR_NETFILTER_SYSCTLS = {
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
    "net.bridge.bridge-nf-call-arptables": "0",
}
_HOST_SYSCTLS = _OWN_IPV6 | {"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "0"}
_ROUTER_SYSCTLS = _OWN_IPV6 | {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    # Each interface speaks for its own addresses only: networks of one router stay apart on the wire.
    "net.ipv4.conf.all.arp_ignore": "1",
    "net.ipv4.conf.all.arp_announce": "2",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
}


@dataclass(frozen=True, slots=True)
class WantedLink:
    """`peer` is (namespace, link, MAC) of a veth's other end; a link of kind "end" is that other end."""

    name: str
    kind: str  # bridge, tap, veth, end
    owner: Owner
    mtu: int
    mac: str = ""
    master: str = ""
    is_up: bool = True
    peer: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class WantedRoute:
    route: Route
    owner: Owner
    on_link: bool = False  # The gateway lies outside every prefix of the link.


@dataclass(slots=True)
class Space:
    """What one namespace has to hold."""

    name: str
    owner: Owner
    sysctls: Mapping[str, str]
    links: dict[str, WantedLink] = field(default_factory=dict)
    addresses: dict[tuple[str, str], Owner] = field(default_factory=dict)  # (link, interface)
    routes: list[WantedRoute] = field(default_factory=list)


@dataclass(slots=True)
class Wiring:
    data_plane: Space
    others: dict[str, Space] = field(default_factory=dict)

    def spaces(self) -> Iterator[Space]:
        yield self.data_plane
        yield from self.others.values()


def plan(state: HostState, tag: str) -> Wiring:
    wiring = Wiring(Space(names.data_plane(tag), ("host", ""), DATA_PLANE_SYSCTLS))
    networks = {network.id: network for network in state.networks}
    for network in state.networks:
        _network(wiring, network, tag, routers=state.routers)
    for port in state.ports:
        bridge, mtu = names.bridge_name(port.network_id), networks[port.network_id].mtu
        owner = ("port", port.id)
        tap = WantedLink(port.tap_name, "tap", owner, mtu, master=bridge, is_up=port.admin_state_up)
        wiring.data_plane.links[tap.name] = tap
    for router in state.routers:
        _router(wiring, router, networks, tag)
    return wiring


def _network(wiring: Wiring, network: Network, tag: str, *, routers: tuple[Router, ...]) -> None:
    owner = ("network", network.id)
    bridge = names.bridge_name(network.id)
    # The MAC is pinned: a bridge that takes over a port's address makes every neighbour forget the way.
    wiring.data_plane.links[bridge] = WantedLink(bridge, "bridge", owner, network.mtu, names.local_mac(bridge))
    if network.service_port is not None:
        _service(wiring, network, tag, routers)
    if network.external and network.physical_network is None:
        _world(wiring, network, tag)


def _service(wiring: Wiring, network: Network, tag: str, routers: tuple[Router, ...]) -> None:
    assert network.service_port is not None
    owner = ("network", network.id)
    space = Space(names.service_namespace(tag, network.id), owner, _HOST_SYSCTLS)
    end = (names.SERVICE_LEG, network.id, network.service_port.mac)
    _leg(wiring, space, network, end, link=names.SERVICE_LINK, owner=owner)
    fixed = {one.subnet_id: one for one in network.service_port.fixed_ips}
    space.addresses[names.SERVICE_LINK, f"{METADATA_ADDRESS}/32"] = owner
    gateways = {interface.ip for router in routers for interface in router.interfaces if router.admin_state_up}
    has_default: set[int] = set()
    for subnet in network.subnets:
        if subnet.id in fixed:
            space.addresses[names.SERVICE_LINK, _interface(fixed[subnet.id].ip, subnet.cidr)] = owner
        else:  # Its guests ask for metadata all the same: they are on the link.
            space.routes.append(WantedRoute(Route(subnet.cidr, "", names.SERVICE_LINK), owner))
        if subnet.gateway_ip in gateways and subnet.ip_version not in has_default:
            has_default.add(subnet.ip_version)
            space.routes.append(_default_route(subnet, names.SERVICE_LINK, owner))
    wiring.others[space.name] = space


def _world(wiring: Wiring, network: Network, tag: str) -> None:
    owner = ("network", network.id)
    space = wiring.others.setdefault(names.outside_world(tag), Space(names.outside_world(tag), owner, _ROUTER_SYSCTLS))
    link = names.link_name(names.WORLD_LINK, network.id)
    _leg(wiring, space, network, (names.WORLD_LEG, network.id, names.local_mac(link)), link=link, owner=owner)
    for subnet in network.subnets:
        if subnet.gateway_ip is not None:
            space.addresses[link, _interface(subnet.gateway_ip, subnet.cidr)] = owner


def _router(wiring: Wiring, router: Router, networks: Mapping[str, Network], tag: str) -> None:
    owner = ("router", router.id)
    space = Space(names.router_namespace(tag, router.id), owner, _ROUTER_SYSCTLS)
    for interface in router.interfaces:
        link = names.link_name(names.ROUTER_LINK, interface.port_id)
        end = (names.ROUTER_LEG, interface.port_id, interface.mac)
        _leg(wiring, space, networks[interface.network_id], end, link=link, owner=owner, is_up=router.admin_state_up)
        space.addresses[link, _interface(interface.ip, interface.cidr)] = owner
    if router.gateway is not None:
        _gateway(wiring, space, router, networks[router.gateway.network_id])
    space.routes += _extra_routes(router, space)
    wiring.others[space.name] = space


def _gateway(wiring: Wiring, space: Space, router: Router, network: Network) -> None:
    assert router.gateway is not None
    owner = ("router", router.id)
    link = names.link_name(names.GATEWAY_LINK, router.gateway.port_id)
    end = (names.GATEWAY_LEG, router.gateway.port_id, router.gateway.mac)
    _leg(wiring, space, network, end, link=link, owner=owner, is_up=router.admin_state_up)
    subnets = {subnet.id: subnet for subnet in network.subnets}
    has_default: set[int] = set()
    for one in router.gateway.fixed_ips:
        subnet = subnets.get(one.subnet_id)
        space.addresses[link, _interface(one.ip, subnet.cidr if subnet else _single(one))] = owner
        if subnet is not None and subnet.gateway_ip not in {None, one.ip} and subnet.ip_version not in has_default:
            has_default.add(subnet.ip_version)
            space.routes.append(_default_route(subnet, link, owner))
    for floating in router.floating_ips:
        space.addresses.setdefault((link, f"{floating.floating_ip}/32"), ("floating_ip", floating.id))


def _extra_routes(router: Router, space: Space) -> Iterator[WantedRoute]:
    """A next hop is reached by the interface in whose subnet it lies; elsewhere there is no way to it."""
    for route in router.routes:
        nexthop = ipaddress.ip_address(route.nexthop)
        for link, interface in space.addresses:
            if nexthop in ipaddress.ip_interface(interface).network:
                destination = str(ipaddress.ip_network(route.destination, strict=False))
                yield WantedRoute(Route(destination, str(nexthop), link), ("router", router.id))
                break


def unreachable_nexthops(router: Router, space: Space) -> list[str]:
    placed = {wanted.route.gateway for wanted in space.routes}
    return [route.nexthop for route in router.routes if str(ipaddress.ip_address(route.nexthop)) not in placed]


def _leg(
    wiring: Wiring,
    space: Space,
    network: Network,
    end: tuple[str, str, str],
    *,
    link: str,
    owner: Owner,
    is_up: bool = True,
) -> None:
    """A veth from a network's bridge into another namespace; `end` is (prefix and id of our side, MAC of theirs)."""
    prefix, identifier, mac = end
    ours = names.link_name(prefix, identifier)
    wiring.data_plane.links[ours] = WantedLink(
        ours, "veth", owner, network.mtu, names.local_mac(ours), names.bridge_name(network.id), is_up,
        (space.name, link, mac),
    )  # fmt: skip
    space.links[link] = WantedLink(link, "end", owner, network.mtu, mac, is_up=is_up)


def _default_route(subnet: Subnet, link: str, owner: Owner) -> WantedRoute:
    assert subnet.gateway_ip is not None
    everywhere = "0.0.0.0/0" if subnet.ip_version == 4 else "::/0"
    is_outside = ipaddress.ip_address(subnet.gateway_ip) not in ipaddress.ip_network(subnet.cidr)
    return WantedRoute(Route(everywhere, subnet.gateway_ip, link), owner, is_outside)


def _interface(ip: str, cidr: str) -> str:
    return f"{ip}/{ipaddress.ip_network(cidr).prefixlen}"


def _single(one: FixedIp) -> str:
    return f"{one.ip}/{32 if ':' not in one.ip else 128}"
