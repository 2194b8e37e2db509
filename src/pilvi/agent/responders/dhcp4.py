"""DHCP, version 4: what to answer to a packet. Pure; there are no leases to keep, each port has its address."""

import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum

from pilvi.agent.responders.plan import Lease
from pilvi.network.drivers.protocol import DhcpOption

SERVER_PORT, CLIENT_PORT = 67, 68
_LEASE_S = 86400
_HEADER = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_MAGIC = b"\x63\x82\x53\x63"
_REQUEST, _REPLY = 1, 2
_ETHERNET, _MAC_BYTES = 1, 6
_SMALLEST_PACKET = 300
_UNSPECIFIED = bytes(4)


class Kind(IntEnum):
    DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)


@dataclass(frozen=True, slots=True)
class Packet:
    transaction: int
    flags: int
    client_ip: str
    relay_ip: str
    mac: str
    kind: Kind
    options: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    content: bytes
    to_ip: str  # The broadcast address unless the client already has its address.
    from_ip: str


def parse(content: bytes) -> Packet | None:
    """None for whatever is not a well-formed request of an Ethernet client."""
    if len(content) < _HEADER.size:
        return None
    op, hardware, length, _, transaction, _, flags, client, _, _, relay, address, _, _, magic = _HEADER.unpack_from(
        content
    )
    if (op, hardware, length, magic) != (_REQUEST, _ETHERNET, _MAC_BYTES, _MAGIC):
        return None
    options = _parse_options(content[_HEADER.size :])
    if len(options.get(53, b"")) != 1 or options[53][0] not in Kind.__members__.values():
        return None
    return Packet(transaction, flags, _text(client), _text(relay), address[:6].hex(":"), Kind(options[53][0]), options)


def _parse_options(content: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while offset < len(content) and content[offset] != 255:
        if content[offset] == 0:
            offset += 1
            continue
        if offset + 1 >= len(content):
            break
        code, length = content[offset], content[offset + 1]
        found[code] = found.get(code, b"") + content[offset + 2 : offset + 2 + length]
        offset += 2 + length
    return found


def answer(packet: Packet, lease: Lease) -> Answer | None:
    """What this port is told; None when it is not our turn to speak."""
    if packet.relay_ip != "0.0.0.0":  # noqa: S104  Requests of other networks are not ours.
        return None
    if packet.kind == Kind.DISCOVER:
        return _grant(packet, lease, Kind.OFFER)
    if packet.kind == Kind.INFORM:
        return _grant(packet, lease, Kind.ACK, with_address=False)
    if packet.kind != Kind.REQUEST:
        return None
    chosen = packet.options.get(54)
    if chosen is not None and _text(chosen) != lease.server_ip:
        return None  # The client took another server's offer.
    wanted = _text(packet.options[50]) if 50 in packet.options else packet.client_ip
    return _grant(packet, lease, Kind.ACK) if wanted == lease.ip else _refuse(packet, lease)


def _grant(packet: Packet, lease: Lease, kind: Kind, *, with_address: bool = True) -> Answer:
    options = [(53, bytes([kind])), (54, _packed(lease.server_ip))]
    if with_address:
        options += [(51, _u32(_LEASE_S)), (58, _u32(_LEASE_S // 2)), (59, _u32(_LEASE_S * 7 // 8))]
    options += _settings(lease)
    boot = _boot_fields(lease.options)
    content = _packet(packet, options, lease.ip if with_address else "0.0.0.0", boot)  # noqa: S104
    has_address = packet.client_ip != "0.0.0.0" and kind == Kind.ACK  # noqa: S104
    return Answer(content, packet.client_ip if has_address else "255.255.255.255", lease.server_ip)


def _refuse(packet: Packet, lease: Lease) -> Answer:
    options = [(53, bytes([Kind.NAK])), (54, _packed(lease.server_ip))]
    return Answer(_packet(packet, options, "0.0.0.0", _NO_BOOT), "255.255.255.255", lease.server_ip)  # noqa: S104


def _settings(lease: Lease) -> list[tuple[int, bytes]]:
    network = ipaddress.IPv4Network(lease.cidr)
    options = {1: network.netmask.packed, 28: network.broadcast_address.packed, 26: struct.pack("!H", lease.mtu)}
    options[12] = lease.hostname.encode()
    if lease.domain:
        options[15] = lease.domain.encode()
    if lease.gateway_ip:
        options[3] = _packed(lease.gateway_ip)
    nameservers = [one for one in lease.nameservers if ":" not in one]
    if nameservers:
        options[6] = b"".join(map(_packed, nameservers))
    routes = [(route.destination, route.nexthop) for route in lease.routes if ":" not in route.destination]
    if routes and lease.gateway_ip:
        routes.append(("0.0.0.0/0", lease.gateway_ip))  # A client that takes the list does not look at option 3.
    if routes:
        options[121] = b"".join(_route(*route) for route in routes)
    for option in lease.options:
        extra = encode_option(option)
        if extra is not None:
            options[extra[0]] = extra[1]
    return sorted(options.items())


def _route(destination: str, nexthop: str) -> bytes:
    network = ipaddress.IPv4Network(destination, strict=False)
    significant = (network.prefixlen + 7) // 8
    return bytes([network.prefixlen]) + network.network_address.packed[:significant] + _packed(nexthop)


# Names that users of the API give to options, with how the value is written.
_NAMED = {
    "netmask": (1, "ip"), "router": (3, "ip"), "dns-server": (6, "ip"), "log-server": (7, "ip"),
    "hostname": (12, "text"), "domain-name": (15, "text"), "root-path": (17, "text"), "mtu": (26, "u16"),
    "broadcast": (28, "ip"), "ntp-server": (42, "ip"), "vendor-class": (60, "text"), "server-id": (54, "ip"),
    "tftp-server": (66, "text"), "tftp-server-name": (66, "text"), "bootfile-name": (67, "text"),
    "domain-search": (119, "names"), "classless-static-route": (121, "routes"), "tftp-server-address": (150, "ip"),
    "path-prefix": (210, "text"),
}  # fmt: skip


def encode_option(option: DhcpOption) -> tuple[int, bytes] | None:
    """Code and value of an extra option; None when it means nothing to us (the API has told its owner)."""
    name = option.opt_name.removeprefix("option:")
    if name.isdecimal():
        code, form = int(name), dict(_NAMED.values()).get(int(name), "text")
    elif name in _NAMED:
        code, form = _NAMED[name]
    else:
        return None
    try:
        value = _encode_value(form, option.opt_value)
    except (ValueError, struct.error):
        return None
    return (code, value) if 0 < code < 255 and code not in {53, 54} and value else None


def _encode_value(form: str, text: str) -> bytes:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if form == "ip":
        return b"".join(map(_packed, parts))
    if form == "u16":
        return struct.pack("!H", int(text))
    if form == "names":
        return b"".join(encode_name(part) for part in parts)
    if form == "routes":
        return b"".join(_route(to, via) for to, via in zip(parts[::2], parts[1::2], strict=True))
    return text.encode()


def encode_name(name: str) -> bytes:
    """A domain name as DNS writes it."""
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    if any(len(label) > 63 for label in labels):
        raise ValueError(f"{name!r} has a label that is too long.")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


_NO_BOOT = (_UNSPECIFIED, b"", b"")


def _boot_fields(options: tuple[DhcpOption, ...]) -> tuple[bytes, bytes, bytes]:
    """Next server, its name and the file: old boot ROMs look here, not at the options."""
    by_name = {option.opt_name.removeprefix("option:"): option.opt_value for option in options}
    server = by_name.get("server-ip-address", by_name.get("tftp-server", ""))
    try:
        next_server = _packed(server)
    except ValueError:
        next_server = _UNSPECIFIED
    return next_server, by_name.get("tftp-server", "").encode()[:63], by_name.get("bootfile-name", "").encode()[:127]


def _packet(packet: Packet, options: list[tuple[int, bytes]], ip: str, boot: tuple[bytes, bytes, bytes]) -> bytes:
    mac = bytes.fromhex(packet.mac.replace(":", ""))
    next_server, server_name, boot_file = boot
    client = _packed(packet.client_ip) if ip != "0.0.0.0" else _UNSPECIFIED  # noqa: S104
    header = _HEADER.pack(
        _REPLY, _ETHERNET, _MAC_BYTES, 0, packet.transaction, 0, packet.flags, client, _packed(ip), next_server,
        _UNSPECIFIED, mac, server_name, boot_file, _MAGIC,
    )  # fmt: skip
    largest = struct.unpack("!H", packet.options[57])[0] - 28 if len(packet.options.get(57, b"")) == 2 else 0
    room = max(largest, 548) - len(header) - 1
    written = b""
    for code, value in options:
        piece = _option(code, value)
        if len(written) + len(piece) <= room:
            written += piece
    return (header + written + b"\xff").ljust(_SMALLEST_PACKET, b"\0")


def _option(code: int, value: bytes) -> bytes:
    """A value longer than one option is written as several of the same code (RFC 3396)."""
    pieces = [value[start : start + 255] for start in range(0, len(value), 255)] or [b""]
    return b"".join(bytes([code, len(piece)]) + piece for piece in pieces)


def _packed(ip: str) -> bytes:
    return ipaddress.IPv4Address(ip).packed


def _text(raw: bytes) -> str:
    return str(ipaddress.IPv4Address(raw)) if len(raw) == 4 else ""


def _u32(value: int) -> bytes:
    return struct.pack("!I", value)
