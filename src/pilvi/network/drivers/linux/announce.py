"""Tells a network that an address now lives here, so that nobody goes on asking where it was before."""

import ipaddress
import socket
import struct

_ARP, _IPV6 = 0x0806, 0x86DD
_BROADCAST = b"\xff" * 6


def announce(link: str, mac: str, ip: str) -> None:
    """Called in the link's namespace. The news may be lost: neighbours then find out when their entry ages."""
    address = ipaddress.ip_address(ip)
    raw_mac = bytes.fromhex(mac.replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((link, 0))
        if isinstance(address, ipaddress.IPv4Address):
            for operation in (1, 2):
                sender.send(_arp(raw_mac, address, operation))
        else:
            sender.send(_advertisement(raw_mac, address))


def _arp(mac: bytes, address: ipaddress.IPv4Address, operation: int) -> bytes:
    target = _BROADCAST if operation == 2 else bytes(6)
    return (
        _BROADCAST + mac + struct.pack("!HHHBBH", _ARP, 1, 0x0800, 6, 4, operation)
        + mac + address.packed + target + address.packed
    )  # fmt: skip


def _advertisement(mac: bytes, address: ipaddress.IPv6Address) -> bytes:
    all_nodes = ipaddress.IPv6Address("ff02::1").packed
    body = address.packed + b"\x02\x01" + mac  # Target, and where it is.
    router_and_override = 0xA0000000
    pseudo_header = address.packed + all_nodes + struct.pack("!II", 8 + len(body), 58)
    message = struct.pack("!BBHI", 136, 0, 0, router_and_override) + body
    checksum = internet_checksum(pseudo_header + message)
    message = struct.pack("!BBHI", 136, 0, checksum, router_and_override) + body
    header = struct.pack("!IHBB", 6 << 28, len(message), 58, 255) + address.packed + all_nodes
    return b"\x33\x33\x00\x00\x00\x01" + mac + struct.pack("!H", _IPV6) + header + message


def internet_checksum(content: bytes) -> int:
    padded = content + b"\0" * (len(content) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
