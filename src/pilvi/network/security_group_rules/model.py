"""A rule of a security group: one kind of traffic that may pass. Pure checks."""

import ipaddress
from dataclasses import dataclass
from typing import Any

from pilvi.kernel.errors import BadRequest
from pilvi.network.standard.model import Standard, invalid

NAMED = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "icmpv6": 58, "igmp": 2, "ip": 0,
    "ipip": 4, "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "ipv6-route": 43, "ospf": 89, "pgm": 113, "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136,
    "vrrp": 112,
}  # fmt: skip
WITH_PORTS = frozenset({6, 17, 33, 132, 136})
ICMP = frozenset({1, 58})
ONLY_V6 = frozenset({"icmpv6", "ipv6-icmp", "ipv6-encap", "ipv6-frag", "ipv6-nonxt", "ipv6-opts", "ipv6-route"})


@dataclass(slots=True, kw_only=True)
class SecurityGroupRule(Standard):
    security_group_id: str
    direction: str
    ethertype: str
    protocol: str | None
    port_range_min: int | None
    port_range_max: int | None
    remote_ip_prefix: str | None
    remote_group_id: str | None
    is_default: bool = False
    """Whether its group is a project's default one."""

    @property
    def meaning(self) -> tuple[Any, ...]:
        return (
            self.direction, self.ethertype, number_of(self.protocol), self.port_range_min, self.port_range_max,
            normalized(self.remote_ip_prefix), self.remote_group_id,
        )  # fmt: skip


def number_of(protocol: str | None) -> int | None:
    if protocol is None:
        return None
    return int(protocol) if protocol.isdecimal() else NAMED[protocol]


def normalized(prefix: str | None) -> str | None:
    return None if prefix is None else str(ipaddress.ip_network(prefix, strict=False))


def protocol_of(value: Any) -> str | None:
    """Lower case, None for any; refuses what is no protocol."""
    if value is None or value == "":
        return None
    text = str(value).lower()
    if text == "any" or text == "ip":
        return None
    if text in NAMED or (text.isdecimal() and int(text) <= 255):
        return text
    raise BadRequest(
        f"Security group rule protocol {value} not supported. Only protocol values [{', '.join(sorted(NAMED))}] and "
        "integer representations [0 to 255] are supported.",
        type="SecurityGroupRuleInvalidProtocol",
    )


def ethertype_of(value: str | None) -> str:
    for known in ("IPv4", "IPv6"):
        if (value or "IPv4").lower() == known.lower():
            return known
    raise BadRequest(
        f"Security group rule for ethertype '{value}' not supported. Allowed values are ['IPv4', 'IPv6'].",
        type="SecurityGroupRuleInvalidEtherType",
    )


def check(rule: SecurityGroupRule) -> None:
    """Refuses combinations that mean nothing."""
    if rule.remote_ip_prefix is not None and rule.remote_group_id is not None:
        raise BadRequest(
            "Only remote_ip_prefix or remote_group_id may be provided.",
            type="SecurityGroupRemoteGroupAndRemoteIpPrefix",
        )
    if rule.remote_ip_prefix is not None:
        _check_prefix(rule)
    if rule.ethertype == "IPv4" and rule.protocol in ONLY_V6:
        raise BadRequest(
            f"Invalid ethertype {rule.ethertype} for protocol {rule.protocol}.",
            type="SecurityGroupEthertypeConflictWithProtocol",
        )
    number, low, high = number_of(rule.protocol), rule.port_range_min, rule.port_range_max
    if low is None and high is None:
        return
    if number in ICMP:
        _check_icmp(low, high)
    elif number in WITH_PORTS:
        for value in (low, high):
            if value is not None and not 0 <= value <= 65535:
                raise BadRequest(f"Invalid value for port {value}", type="SecurityGroupInvalidPortValue")
        if low is None or high is None or low > high:
            raise BadRequest(
                "For TCP/UDP protocols, port_range_min must be <= port_range_max",
                type="SecurityGroupInvalidPortRange",
            )
    else:
        name = rule.protocol or "any protocol"
        raise BadRequest(
            f"Invalid protocol {name} for port range, only supported for TCP, UDP, UDPLITE, SCTP and DCCP.",
            type="SecurityGroupInvalidProtocolForPort" if rule.protocol else "SecurityGroupProtocolRequiredWithPorts",
        )


def _check_icmp(type: int | None, code: int | None) -> None:
    if type is None:
        raise BadRequest("ICMP code (port-range-max) is provided but ICMP type (port-range-min) is missing.",
                         type="SecurityGroupMissingIcmpType")  # fmt: skip
    for word, field, value in (("type", "port-range-min", type), ("code", "port-range-max", code)):
        if value is not None and not 0 <= value <= 255:
            text = f"Invalid value for ICMP {word} ({field}) {value}. It must be 0 to 255."
            raise BadRequest(text, type="SecurityGroupInvalidIcmpValue")


def _check_prefix(rule: SecurityGroupRule) -> None:
    try:
        prefix = ipaddress.ip_network(rule.remote_ip_prefix or "", strict=False)
    except ValueError as error:
        raise invalid(f"'{rule.remote_ip_prefix}' is not a valid CIDR: {error}.") from None
    if prefix.version != int(rule.ethertype[-1]):
        raise BadRequest(
            f"Conflicting value ethertype {rule.ethertype} for CIDR {rule.remote_ip_prefix}",
            type="SecurityGroupRuleParameterConflict",
        )
