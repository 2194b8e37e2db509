"""Router advertisements: how they are written. Pure."""

import ipaddress
import struct

from pilvi.agent.responders.dhcp4 import encode_name
from pilvi.agent.responders.plan import Advertisement

ROUTER_SOLICITATION = 133
ALL_NODES, ALL_ROUTERS = "ff02::1", "ff02::2"
_HOP_LIMIT = 64
_VALID_S, _PREFERRED_S = 86400, 14400
_NAMES_LIFETIME_S = 1800
_ON_LINK, _AUTONOMOUS = 0x80, 0x40
_MANAGED, _OTHER = 0x80, 0x40


def encode(one: Advertisement) -> bytes:
    """The ICMPv6 message; the kernel adds the checksum."""
    flags = (_MANAGED if one.is_managed else 0) | (_OTHER if one.has_other else 0)
    message = struct.pack("!BBHBBHII", 134, 0, 0, _HOP_LIMIT, flags, one.lifetime_s, 0, 0)
    message += b"\x01\x01" + bytes.fromhex(one.mac.replace(":", ""))
    message += struct.pack("!BBHI", 5, 1, 0, one.mtu)
    for prefix in one.prefixes:
        network = ipaddress.IPv6Network(prefix.cidr)
        how = _ON_LINK | (_AUTONOMOUS if prefix.is_autonomous else 0)
        message += struct.pack("!BBBBIII", 3, 4, network.prefixlen, how, _VALID_S, _PREFERRED_S, 0)
        message += network.network_address.packed
    nameservers = [ipaddress.IPv6Address(name).packed for name in one.nameservers if ":" in name]
    if nameservers:
        message += struct.pack("!BBHI", 25, 1 + 2 * len(nameservers), 0, _NAMES_LIFETIME_S) + b"".join(nameservers)
    if one.domain:
        search = encode_name(one.domain)
        search += bytes(-len(search) % 8)
        message += struct.pack("!BBHI", 31, 1 + len(search) // 8, 0, _NAMES_LIFETIME_S) + search
    return message
