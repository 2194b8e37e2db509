"""Compiles security groups to nftables rules. Pure.

One chain per group and direction, shared by its ports. All rules allow, so their order does not matter; a rule that
cannot be compiled allows nothing and is reported.
"""

import ipaddress
from collections.abc import Iterable, Mapping

from pilvi.network.drivers import names
from pilvi.network.drivers.linux.ruleset import Chain, NamedSet
from pilvi.network.drivers.protocol import SecurityGroup, SecurityGroupRule

INGRESS, EGRESS = "ingress", "egress"

# Names of the API for IP protocols; others are given by number.
PROTOCOLS = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "icmp": 1, "icmpv6": 58, "igmp": 2, "ip": 0, "ipip": 4,
    "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "ipv6-route": 43,
    "ospf": 89, "pgm": 113, "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136, "vrrp": 112,
}  # fmt: skip
_WITH_PORTS = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}
_ICMP, _ICMPV6 = 1, 58


class BadRule(ValueError):
    """A rule that has no meaning on the wire."""


def chain_name(group_id: str, direction: str) -> str:
    return f"g_{names.digest(group_id)}_{direction[0]}"


def members_name(group_id: str, version: int) -> str:
    return f"m_{names.digest(group_id)}_{version}"


def compile_groups(groups: tuple[SecurityGroup, ...]) -> tuple[dict[str, Chain], dict[str, NamedSet], dict[str, str]]:
    """Chains, sets of members (only of groups that rules name), and by group what could not be compiled."""
    known = {group.id: group for group in groups}
    chains: dict[str, Chain] = {}
    errors: dict[str, str] = {}
    wanted_sets: set[tuple[str, int]] = set()
    for group in groups:
        allowed: dict[str, set[str]] = {INGRESS: set(), EGRESS: set()}
        for rule in group.rules:
            try:
                if rule.direction not in allowed:
                    raise BadRule(f"{rule.direction!r} is neither ingress nor egress")
                if rule.remote_group_id is not None and rule.remote_group_id not in known:
                    continue  # A group without ports here or anywhere has no members: the rule allows nobody.
                allowed[rule.direction].add(compile_rule(rule))
                if rule.remote_group_id is not None:
                    wanted_sets.add((rule.remote_group_id, 4 if rule.ethertype == "IPv4" else 6))
            except ValueError as error:
                errors[group.id] = f"Rule {rule.id} allows nothing: {error}."
        for direction, rules in allowed.items():
            chains[chain_name(group.id, direction)] = Chain(tuple(sorted(rules)))
    return chains, {members_name(id, version): _members(known[id], version) for id, version in wanted_sets}, errors


def _members(group: SecurityGroup, version: int) -> NamedSet:
    members = group.members4 if version == 4 else group.members6
    return NamedSet(f"ipv{version}_addr", is_interval=True, elements=dict.fromkeys(prefixes(members), ""))


def prefixes(addresses: Iterable[str]) -> list[str]:
    """Addresses and prefixes without overlaps, as interval sets want them. The widest prefix is cut in two."""
    parsed = [ipaddress.ip_network(one, strict=False) for one in addresses]
    narrow = ipaddress.collapse_addresses([one for one in parsed if isinstance(one, ipaddress.IPv4Network)])
    wide = ipaddress.collapse_addresses([one for one in parsed if isinstance(one, ipaddress.IPv6Network)])
    found: list[str] = []
    for network in [*map(str, narrow), *map(str, wide)]:
        address, _, length = network.partition("/")
        if length == "0":
            found += ["0.0.0.0/1", "128.0.0.0/1"] if address == "0.0.0.0" else ["::/1", "8000::/1"]  # noqa: S104
        else:
            found.append(address if length == ("128" if ":" in address else "32") else network)
    return found


def compile_rule(rule: SecurityGroupRule) -> str:
    """The nftables rule that lets a new connection through."""
    if rule.ethertype not in {"IPv4", "IPv6"}:
        raise BadRule(f"{rule.ethertype!r} is neither IPv4 nor IPv6")
    family, version = ("ip", 4) if rule.ethertype == "IPv4" else ("ip6", 6)
    parts = [f"meta protocol {family}"]
    side = "saddr" if rule.direction == INGRESS else "daddr"
    if rule.remote_ip_prefix is not None:
        prefix = ipaddress.ip_network(rule.remote_ip_prefix, strict=False)
        if prefix.version != version:
            raise BadRule(f"{rule.remote_ip_prefix} is not {rule.ethertype}")
        if prefix.prefixlen:
            parts.append(f"{family} {side} {prefix}")
    if rule.remote_group_id is not None:
        parts.append(f"{family} {side} @{members_name(rule.remote_group_id, version)}")
    return " ".join([*parts, *_protocol_match(rule, version), "accept"])


def _protocol_match(rule: SecurityGroupRule, version: int) -> list[str]:
    number = protocol_number(rule.protocol)
    low, high = rule.port_range_min, rule.port_range_max
    if number is None:
        if low is not None or high is not None:
            raise BadRule("a port range needs a protocol that has ports")
        return []
    if version == 6 and number == _ICMP:
        number = _ICMPV6  # The API calls both of them icmp.
    if number in {_ICMP, _ICMPV6}:
        return _icmp_match("icmp" if number == _ICMP else "icmpv6", low, high)
    if low is None and high is None:
        return [f"meta l4proto {number}"]
    if number not in _WITH_PORTS:
        raise BadRule(f"protocol {rule.protocol} has no ports")
    first, last = _within(low if low is not None else high, 65535), _within(high if high is not None else low, 65535)
    if first > last:
        raise BadRule(f"the port range {first} to {last} is empty")
    return [f"{_WITH_PORTS[number]} dport {first if first == last else f'{first}-{last}'}"]


def _icmp_match(word: str, type: int | None, code: int | None) -> list[str]:
    if type is None:
        if code is not None:
            raise BadRule("an ICMP code needs an ICMP type")
        return [f"meta l4proto {_ICMP if word == 'icmp' else _ICMPV6}"]
    match = [f"{word} type {_within(type, 255)}"]
    return match if code is None else [*match, f"{word} code {_within(code, 255)}"]


def _within(number: int | None, highest: int) -> int:
    if number is None or not 0 <= number <= highest:
        raise BadRule(f"{number} is not between 0 and {highest}")
    return number


def protocol_number(protocol: str | None) -> int | None:
    """None for any protocol."""
    if protocol is None or protocol.lower() in {"", "any"}:
        return None
    if protocol.isdecimal():
        return _within(int(protocol), 255)
    if protocol.lower() not in PROTOCOLS:
        raise BadRule(f"{protocol!r} is not a protocol")
    return PROTOCOLS[protocol.lower()]


def shrunk(old: tuple[SecurityGroup, ...], new: tuple[SecurityGroup, ...]) -> set[str]:
    """The groups that allow less than before, be it that only a remote group lost a member."""
    before: Mapping[str, SecurityGroup] = {group.id: group for group in old}
    after: Mapping[str, SecurityGroup] = {group.id: group for group in new}
    poorer = {id for id, group in before.items() if id not in after or _members_of(group) - _members_of(after[id])}
    found = set()
    for id, group in before.items():
        lost = id not in after or set(map(_meaning, group.rules)) - set(map(_meaning, after[id].rules))
        if lost or any(rule.remote_group_id in poorer for rule in group.rules):
            found.add(id)
    return found


def _members_of(group: SecurityGroup) -> set[str]:
    return {*group.members4, *group.members6}


def _meaning(rule: SecurityGroupRule) -> tuple[object, ...]:
    """A rule that was replaced by an equal one has revoked nothing."""
    return (rule.direction, rule.ethertype, rule.protocol, rule.port_range_min, rule.port_range_max,
            rule.remote_ip_prefix, rule.remote_group_id)  # fmt: skip
