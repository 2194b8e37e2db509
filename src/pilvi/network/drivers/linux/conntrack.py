"""Established connections of one namespace: found and cut, so that what was revoked stops at once."""

import ipaddress
import struct
from collections.abc import Callable
from typing import NamedTuple

from pilvi.network.drivers.linux import netlink
from pilvi.network.drivers.linux.netlink import Netlink, attribute, attributes

_CT_GET, _CT_DELETE = 0x101, 0x102
_NFT_GETGEN = (10 << 8) | 16
_NFTA_GEN_ID = 1
_TUPLE_ORIG, _TUPLE_REPLY, _ID, _ZONE = 1, 2, 12, 18
_TUPLE_IP = 1
_NFGENMSG = struct.Struct("=BBH")
_NESTED = 0x8000


class Connection(NamedTuple):
    zone: int
    addresses: frozenset[str]  # All four ends, before and after translation.


class Connections:
    """Opened in the namespace whose connections are meant."""

    def __init__(self) -> None:
        self._netlink = Netlink(netlink.NETFILTER)

    def close(self) -> None:
        self._netlink.close()

    def rules_generation(self) -> int:
        """Counts every change of the namespace's nftables rules, whoever made it."""
        answers = self._netlink.ask(_NFT_GETGEN, _NFGENMSG.pack(0, 0, 0))
        values = attributes(answers[0][_NFGENMSG.size :])
        return int.from_bytes(values[_NFTA_GEN_ID], "big")

    def all(self) -> list[Connection]:
        return [connection for _, connection in self._listed()]

    def cut(self, is_meant: Callable[[Connection], bool]) -> int:
        """Forgets the connections that are meant; what is still allowed makes itself known by its next packet."""
        count = 0
        for message, connection in self._listed():
            if is_meant(connection):
                count += self._delete(message)
        return count

    def _listed(self) -> list[tuple[bytes, Connection]]:
        found = []
        for message in self._netlink.dump(_CT_GET, _NFGENMSG.pack(0, 0, 0)):
            values = attributes(message[_NFGENMSG.size :])
            zone = int.from_bytes(values.get(_ZONE, b"\0\0"), "big")
            ends = _ends(values.get(_TUPLE_ORIG, b"")) | _ends(values.get(_TUPLE_REPLY, b""))
            found.append((message, Connection(zone, ends)))
        return found

    def _delete(self, message: bytes) -> int:
        values = attributes(message[_NFGENMSG.size :])
        payload = message[: _NFGENMSG.size]
        payload += attribute(_TUPLE_ORIG | _NESTED, values[_TUPLE_ORIG])
        payload += b"".join(attribute(kind, values[kind]) for kind in (_ZONE, _ID) if kind in values)
        try:
            self._netlink.ask(_CT_DELETE, payload)
        except netlink.NetlinkError as error:
            if not netlink.is_gone(error):
                raise
            return 0
        return 1


def _ends(tuple_: bytes) -> frozenset[str]:
    pair = attributes(attributes(tuple_).get(_TUPLE_IP, b""))
    return frozenset(str(ipaddress.ip_address(raw)) for raw in pair.values() if len(raw) in {4, 16})
