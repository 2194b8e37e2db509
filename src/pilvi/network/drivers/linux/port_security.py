"""Compiles the data plane's filter: who may send what from which port, and what may reach it. Pure.

Conntrack lives in the inet family and only sets two bits of the packet mark; all policy is in one bridge table
(research/network.md section 2). What is not known to the table is dropped.
"""

import ipaddress

from pilvi.network.drivers import names
from pilvi.network.drivers.linux import security_groups
from pilvi.network.drivers.linux.ruleset import Chain, NamedSet, Ruleset, Table
from pilvi.network.drivers.linux.security_groups import EGRESS, INGRESS, chain_name
from pilvi.network.drivers.protocol import HostState, Port

TABLE = "pilvi"
CONNTRACK_TABLE = "pilvi_ct"
_ESTABLISHED, _INVALID = 1, 2
BR_NETFILTER, BRIDGE_CONNTRACK = "br_netfilter", "bridge_conntrack"

# What every guest may send and receive, whatever its groups say: without neighbour discovery and an address
# there is no network at all. Antispoof has seen to it that they tell the truth.
_ALWAYS_OUT = (
    "icmpv6 type { 130, 131, 132, 133, 135, 136, 143 } accept",
    "udp sport 68 udp dport 67 accept",
    "udp sport 546 udp dport 547 accept",
)
_ALWAYS_IN = (
    "icmpv6 type { 130, 131, 132, 134, 135, 136 } accept",
    "iifname @service udp sport 67 udp dport 68 accept",  # Not from afar, through a router.
    "iifname @service udp sport 547 udp dport 546 accept",
)


def compile_filter(state: HostState, shim: str = BR_NETFILTER) -> tuple[Ruleset, dict[str, str]]:
    """The tables of the data-plane namespace, and by security group what could not be compiled."""
    group_chains, member_sets, errors = security_groups.compile_groups(state.security_groups)
    known_groups = {group.id for group in state.security_groups}
    guarded = [port for port in state.ports if port.port_security_enabled]
    services = [_quoted(names.link_name(names.SERVICE_LEG, one.id)) for one in state.networks if one.service_port]
    opened = [_quoted(port.tap_name) for port in state.ports if not port.port_security_enabled]
    opened += services + [_quoted(leg) for leg in _other_legs(state)]
    chains = _base_chains() | group_chains
    sent, reached = dict.fromkeys(opened, "accept"), dict.fromkeys(opened, "accept")
    for port in guarded:
        key = names.digest(port.id)
        groups = sorted(set(port.security_groups) & known_groups)
        chains[f"p_{key}_e"] = _port_chain(groups, EGRESS)
        chains[f"p_{key}_i"] = _port_chain(groups, INGRESS)
        chains[f"n_{key}"] = _neighbour_chain(port)
        sent[_quoted(port.tap_name)], reached[_quoted(port.tap_name)] = f"goto p_{key}_e", f"goto p_{key}_i"
    sets = _antispoof_sets(guarded) | member_sets
    sets["unguarded"] = NamedSet("ifname", elements=dict.fromkeys(opened, ""))
    sets["service"] = NamedSet("ifname", elements=dict.fromkeys(services, ""))
    sets["egress_of"] = NamedSet("ifname", "verdict", elements=sent)
    sets["ingress_of"] = NamedSet("ifname", "verdict", elements=reached)
    return (_conntrack_table(state, shim), Table("bridge", TABLE, sets, chains)), errors


def _quoted(link: str) -> str:
    return f'"{link}"'


def _other_legs(state: HostState) -> list[str]:
    """Our own ends of routers and of the outside world: trusted to send what they like."""
    legs = [names.link_name(names.WORLD_LEG, network.id) for network in state.networks if network.external]
    for router in state.routers:
        legs += {names.link_name(names.ROUTER_LEG, interface.port_id) for interface in router.interfaces}
        if router.gateway is not None:
            legs.append(names.link_name(names.GATEWAY_LEG, router.gateway.port_id))
    return sorted(set(legs))


def _base_chains() -> dict[str, Chain]:
    return {
        "pre": Chain(
            ("meta mark set 0", "iifname @guarded jump antispoof", "iifname @guarded accept",
             "iifname @unguarded accept"),
            "type filter hook prerouting priority -300; policy drop;",
        ),
        "egress": Chain(
            ("meta protocol arp accept", f"meta mark & {_ESTABLISHED} == {_ESTABLISHED} accept",
             "iifname vmap @egress_of"),
            "type filter hook forward priority -200; policy drop;",
        ),
        "ingress": Chain(
            ("meta protocol arp accept", f"meta mark & {_ESTABLISHED} == {_ESTABLISHED} accept",
             "oifname vmap @ingress_of"),
            "type filter hook forward priority -190; policy drop;",
        ),
        "post": Chain(("meta mark set 0",), "type filter hook postrouting priority 300; policy accept;"),
        "antispoof": Chain((
            "ether type { 0x8100, 0x88a8 } drop",
            "iifname . ether saddr != @source_mac drop",
            "meta protocol arp iifname . arp saddr ether != @source_mac drop",
            "meta protocol arp arp saddr ip 0.0.0.0 return",  # A probe for duplicates claims nothing.
            "meta protocol arp iifname . arp saddr ether . arp saddr ip @source4 return",
            "meta protocol ip ip saddr 0.0.0.0 udp sport 68 udp dport 67 return",
            "udp sport 67 udp dport 68 drop",
            "udp sport 547 udp dport 546 drop",
            "icmpv6 type { 134, 137 } drop",  # Only routers advertise and redirect.
            "icmpv6 type 136 iifname vmap @neighbour_of",
            "meta protocol ip iifname . ether saddr . ip saddr @source4 return",
            "meta protocol ip6 ip6 saddr :: icmpv6 type { 130, 131, 132, 133, 135, 143 } return",
            "meta protocol ip6 iifname . ether saddr . ip6 saddr @source6 return",
            "drop",
        )),
    }  # fmt: skip


def _port_chain(groups: list[str], direction: str) -> Chain:
    always = _ALWAYS_OUT if direction == EGRESS else _ALWAYS_IN
    jumps = tuple(f"jump {chain_name(group, direction)}" for group in groups)
    return Chain((*always, f"meta mark & {_INVALID} == {_INVALID} drop", *jumps, "drop"))


def _neighbour_chain(port: Port) -> Chain:
    """Which addresses the port may claim in neighbour advertisements: the target lies 8 bytes into ICMPv6."""
    claims = []
    for _, prefix in _sources(port, 6):
        network = ipaddress.IPv6Network(prefix)
        if network.prefixlen == 0:
            return Chain(("return",))
        value = int(network.network_address) >> (128 - network.prefixlen)
        claims.append(f"@th,64,{network.prefixlen} {value:#x} return")
    return Chain((*sorted(set(claims)), "drop"))


def _antispoof_sets(ports: list[Port]) -> dict[str, NamedSet]:
    macs: dict[str, str] = {}
    sources: dict[int, dict[str, str]] = {4: {}, 6: {}}
    neighbours: dict[str, str] = {}
    for port in ports:
        for mac in {port.mac, *(pair.mac_address or port.mac for pair in port.allowed_address_pairs)}:
            macs[f"{_quoted(port.tap_name)} . {mac}"] = ""
        for version, found in sources.items():
            found |= {f"{_quoted(port.tap_name)} . {mac} . {prefix}": "" for mac, prefix in _collapsed(port, version)}
        neighbours[_quoted(port.tap_name)] = f"jump n_{names.digest(port.id)}"
    return {
        "guarded": NamedSet("ifname", elements=dict.fromkeys((_quoted(port.tap_name) for port in ports), "")),
        "source_mac": NamedSet("ifname . ether_addr", elements=macs),
        "source4": NamedSet("ifname . ether_addr . ipv4_addr", is_interval=True, elements=sources[4]),
        "source6": NamedSet("ifname . ether_addr . ipv6_addr", is_interval=True, elements=sources[6]),
        "neighbour_of": NamedSet("ifname", "verdict", elements=neighbours),
    }


def _sources(port: Port, version: int) -> list[tuple[str, str]]:
    """(MAC, prefix) that a guest may send from: its own addresses, its pairs, its link-local address."""
    found = [(port.mac, one.ip) for one in port.fixed_ips]
    found += [(pair.mac_address or port.mac, pair.ip_address) for pair in port.allowed_address_pairs]
    found += [(mac, link_local(mac)) for mac in {mac for mac, _ in found} | {port.mac}]
    return [(mac, prefix) for mac, prefix in found if ipaddress.ip_network(prefix).version == version]


def _collapsed(port: Port, version: int) -> list[tuple[str, str]]:
    sources = _sources(port, version)
    return [
        (mac, prefix)
        for mac in sorted({mac for mac, _ in sources})
        for prefix in security_groups.prefixes([prefix for owner, prefix in sources if owner == mac])
    ]


def link_local(mac: str) -> str:
    """The address that a station makes of its MAC (EUI-64)."""
    raw = bytes.fromhex(mac.replace(":", ""))
    interface = bytes([raw[0] ^ 2]) + raw[1:3] + b"\xff\xfe" + raw[3:]
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + interface))


def _conntrack_table(state: HostState, shim: str) -> Table:
    """Sets the zone by network and the two bits. By br_netfilter the inet hooks see the bridge as the input."""
    mark = (
        f"ct state established,related meta mark set meta mark | {_ESTABLISHED}",
        f"ct state invalid meta mark set meta mark | {_INVALID}",
    )
    zones = {_quoted(names.bridge_name(network.id)): str(network.zone) for network in state.networks}
    if shim == BR_NETFILTER:
        sets = {"zone_of": NamedSet("iifname", "ct zone", by_expression=True, elements=zones)}
        zone = Chain(("ct zone set iifname map @zone_of",), "type filter hook prerouting priority raw; policy accept;")
        state_chain = Chain(mark, "type filter hook prerouting priority mangle; policy accept;")
        return Table("inet", CONNTRACK_TABLE, sets, {"zone": zone, "state": state_chain})
    by_bridge = tuple(f"meta ibrname {bridge} ct zone set {zone}" for bridge, zone in sorted(zones.items()))
    zone = Chain(by_bridge, "type filter hook prerouting priority -250; policy accept;")
    state_chain = Chain(mark, "type filter hook prerouting priority -150; policy accept;")
    return Table("bridge", CONNTRACK_TABLE, {}, {"zone": zone, "state": state_chain})
