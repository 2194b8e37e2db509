"""DHCP, version 6: what to answer to a message, stateless and stateful. Pure."""

import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum

from pilvi.agent.responders.dhcp4 import encode_name
from pilvi.agent.responders.plan import Lease6

SERVER_PORT, CLIENT_PORT = 547, 546
ALL_SERVERS = "ff02::1:2"
_LIFETIME_S = 86400
_CLIENT_ID, _SERVER_ID, _IA_NA, _IA_ADDRESS, _STATUS, _RAPID_COMMIT = 1, 2, 3, 5, 13, 14
_DNS_SERVERS, _DOMAIN_LIST = 23, 24
_NO_ADDRESSES, _NOT_ON_LINK = 2, 4


class Kind(IntEnum):
    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    INFORMATION_REQUEST = 11


_FROM_CLIENT = frozenset(Kind) - {Kind.ADVERTISE, Kind.REPLY}
_MUST_NAME_US = {Kind.REQUEST, Kind.RENEW, Kind.RELEASE, Kind.DECLINE}


@dataclass(frozen=True, slots=True)
class Message:
    kind: Kind
    transaction: bytes
    options: tuple[tuple[int, bytes], ...]

    def option(self, code: int) -> bytes | None:
        return next((value for known, value in self.options if known == code), None)


def parse(content: bytes) -> Message | None:
    if len(content) < 4 or content[0] not in _FROM_CLIENT:
        return None
    options = []
    offset = 4
    while offset + 4 <= len(content):
        code, length = struct.unpack_from("!HH", content, offset)
        options.append((code, content[offset + 4 : offset + 4 + length]))
        offset += 4 + length
    return Message(Kind(content[0]), content[1:4], tuple(options)) if offset == len(content) else None


def client_mac(message: Message, source_ip: str) -> str | None:
    """From the link-local address, which anti-spoofing has checked; else from an identifier that holds a MAC."""
    raw = ipaddress.IPv6Address(source_ip.split("%")[0]).packed
    if raw[:2] == b"\xfe\x80" and raw[11:13] == b"\xff\xfe":
        return (bytes([raw[8] ^ 2]) + raw[9:11] + raw[13:]).hex(":")
    identifier = message.option(_CLIENT_ID) or b""
    is_ethernet = identifier[:4] in {b"\0\1\0\1", b"\0\3\0\1"}
    return identifier[-6:].hex(":") if is_ethernet and len(identifier) in {10, 14} else None


def answer(message: Message, lease: Lease6, server_mac: str) -> bytes | None:
    """None when the message is for another server or asks for nothing we give."""
    ours = b"\0\3\0\1" + bytes.fromhex(server_mac.replace(":", ""))
    named = message.option(_SERVER_ID)
    if (named is not None and named != ours) or (named is None and message.kind in _MUST_NAME_US):
        return None
    client = message.option(_CLIENT_ID)
    if client is None and message.kind != Kind.INFORMATION_REQUEST:
        return None
    kind, options = Kind.REPLY, [(_SERVER_ID, ours)]
    if client is not None:
        options.append((_CLIENT_ID, client))
    if message.kind == Kind.SOLICIT:
        if not lease.addresses:
            return None
        is_rapid = message.option(_RAPID_COMMIT) is not None
        kind = Kind.REPLY if is_rapid else Kind.ADVERTISE
        options += [(_RAPID_COMMIT, b"")] if is_rapid else []
    if message.kind in {Kind.SOLICIT, Kind.REQUEST, Kind.RENEW, Kind.REBIND}:
        options += [(_IA_NA, _association(value, lease)) for code, value in message.options if code == _IA_NA]
    elif message.kind == Kind.CONFIRM:
        options.append((_STATUS, struct.pack("!H", 0 if _asked(message) <= set(lease.addresses) else _NOT_ON_LINK)))
    elif message.kind in {Kind.RELEASE, Kind.DECLINE}:
        options.append((_STATUS, struct.pack("!H", 0)))
    return bytes([kind]) + message.transaction + b"".join(_option(*one) for one in [*options, *_settings(lease)])


def _association(value: bytes, lease: Lease6) -> bytes:
    """The addresses of the port, and that any other which the client still holds is over."""
    head = value[:4].ljust(4, b"\0") + struct.pack("!II", _LIFETIME_S // 2, _LIFETIME_S * 4 // 5)
    if not lease.addresses:
        return head + _option(_STATUS, struct.pack("!H", _NO_ADDRESSES))
    content = b"".join(_option(_IA_ADDRESS, _address(ip, _LIFETIME_S)) for ip in lease.addresses)
    stale = _addresses_in(value) - set(lease.addresses)
    return head + content + b"".join(_option(_IA_ADDRESS, _address(ip, 0)) for ip in sorted(stale))


def _address(ip: str, lifetime_s: int) -> bytes:
    return ipaddress.IPv6Address(ip).packed + struct.pack("!II", lifetime_s, lifetime_s)


def _asked(message: Message) -> set[str]:
    return {ip for code, value in message.options if code == _IA_NA for ip in _addresses_in(value)}


def _addresses_in(association: bytes) -> set[str]:
    found = set()
    offset = 12
    while offset + 4 <= len(association):
        code, length = struct.unpack_from("!HH", association, offset)
        if code == _IA_ADDRESS and len(association) >= offset + 20:
            found.add(str(ipaddress.IPv6Address(association[offset + 4 : offset + 20])))
        offset += 4 + length
    return found


def _settings(lease: Lease6) -> list[tuple[int, bytes]]:
    options = []
    nameservers = [one for one in lease.nameservers if ":" in one]
    if nameservers:
        options.append((_DNS_SERVERS, b"".join(ipaddress.IPv6Address(one).packed for one in nameservers)))
    if lease.domain:
        options.append((_DOMAIN_LIST, encode_name(lease.domain)))
    return options


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("!HH", code, len(value)) + value
