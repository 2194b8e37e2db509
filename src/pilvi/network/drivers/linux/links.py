"""Links, addresses and routes of one namespace, read and changed through a netlink socket that lives in it."""

import ipaddress
import socket
import struct
from dataclasses import dataclass
from typing import NamedTuple

from pilvi.network.drivers.linux import netlink
from pilvi.network.drivers.linux.netlink import Netlink, attribute, attributes, nested, text, u32

_NEWLINK, _DELLINK, _GETLINK = 16, 17, 18
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_NEWROUTE, _DELROUTE, _GETROUTE = 24, 25, 26
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER = 1, 3, 4, 10
_IFLA_LINKINFO, _IFLA_STATS64, _IFLA_NET_NS_FD = 18, 23, 28
_INFO_KIND, _INFO_DATA = 1, 2
_VETH_PEER = 1
_BR_STP_STATE, _BR_MCAST_SNOOPING = 5, 23
_IFF_UP = 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_FLAGS = 1, 2, 4, 8
_IFA_F_NODAD = 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_TABLE = 1, 4, 5, 15
_RTPROT_OURS = 4  # "static": what we make and therefore may remove; the kernel's own routes are "kernel".
_RT_TABLE_MAIN = 254
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253
_RTN_UNICAST = 1
_RTNH_F_ONLINK = 4
_LINK = struct.Struct("=BxHiII")
_ADDR = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")


@dataclass(frozen=True, slots=True)
class Link:
    index: int
    name: str
    kind: str
    mac: str
    mtu: int
    is_up: bool
    master: int
    stats: bytes


class Address(NamedTuple):
    """An address with its prefix length, as text: "10.0.0.1/24"."""

    link: str
    interface: str


class Route(NamedTuple):
    """`gateway` is empty for a destination that is on the link itself."""

    destination: str
    gateway: str
    link: str


class Links:
    """The links of the namespace that the calling thread is in at construction."""

    def __init__(self) -> None:
        self._netlink = Netlink(netlink.ROUTE)

    def close(self) -> None:
        self._netlink.close()

    def links(self) -> dict[str, Link]:
        found = (_parse_link(one) for one in self._netlink.dump(_GETLINK, _LINK.pack(0, 0, 0, 0, 0)))
        return {link.name: link for link in found}

    def add_bridge(self, name: str, mac: str, mtu: int) -> None:
        options = nested(_INFO_DATA, u32(_BR_STP_STATE, 0), attribute(_BR_MCAST_SNOOPING, b"\0"))
        self._add(text(_IFLA_IFNAME, name), _mac(mac), u32(_IFLA_MTU, mtu), _link_info("bridge", options))

    def add_veth(self, name: str, mac: str, mtu: int, peer: tuple[str, str], namespace_fd: int) -> None:
        """A pair whose second end (name, MAC) is born in another namespace: there is never half a pair."""
        peer_name, peer_mac = peer
        other = _LINK.pack(0, 0, 0, 0, 0) + text(_IFLA_IFNAME, peer_name) + _mac(peer_mac)
        other += u32(_IFLA_MTU, mtu) + u32(_IFLA_NET_NS_FD, namespace_fd)
        info = _link_info("veth", nested(_INFO_DATA, attribute(_VETH_PEER | 0x8000, other)))
        self._add(text(_IFLA_IFNAME, name), _mac(mac), u32(_IFLA_MTU, mtu), info)

    def delete(self, index: int) -> None:
        try:
            self._netlink.ask(_DELLINK, _LINK.pack(0, 0, index, 0, 0))
        except netlink.NetlinkError as error:
            if not netlink.is_gone(error):
                raise

    def change(
        self, index: int, *, is_up: bool | None = None, master: int | None = None, mtu: int = 0, mac: str = ""
    ) -> None:
        flags, change = (0, 0) if is_up is None else (_IFF_UP if is_up else 0, _IFF_UP)
        payload = _LINK.pack(0, 0, index, flags, change)
        if master is not None:
            payload += u32(_IFLA_MASTER, master)
        if mtu:
            payload += u32(_IFLA_MTU, mtu)
        if mac:
            payload += _mac(mac)
        self._netlink.ask(_NEWLINK, payload)

    def addresses(self, links: dict[str, Link]) -> set[Address]:
        """All addresses but the link-local ones, which the kernel makes from the MAC."""
        names = {link.index: link.name for link in links.values()}
        found = set()
        for message in self._netlink.dump(_GETADDR, _ADDR.pack(0, 0, 0, 0, 0)):
            family, prefix_length, _, scope, index = _ADDR.unpack_from(message)
            values = attributes(message[_ADDR.size :])
            raw = values.get(_IFA_LOCAL, values.get(_IFA_ADDRESS, b""))
            if index in names and family in {socket.AF_INET, socket.AF_INET6}:
                address = ipaddress.ip_address(raw)
                if not (scope == _SCOPE_LINK and family == socket.AF_INET6 and prefix_length == 64):
                    found.add(Address(names[index], f"{address}/{prefix_length}"))
        return found

    def add_address(self, index: int, interface: str) -> None:
        try:
            self._netlink.ask(_NEWADDR, _address(index, interface), netlink.F_CREATE | netlink.F_EXCL)
        except netlink.NetlinkError as error:
            if not netlink.is_there(error):
                raise

    def delete_address(self, index: int, interface: str) -> None:
        try:
            self._netlink.ask(_DELADDR, _address(index, interface))
        except netlink.NetlinkError as error:
            if not netlink.is_gone(error):
                raise

    def routes(self, links: dict[str, Link]) -> set[Route]:
        """The routes that we made."""
        names = {link.index: link.name for link in links.values()}
        found = set()
        for family in (socket.AF_INET, socket.AF_INET6):
            for message in self._netlink.dump(_GETROUTE, _ROUTE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
                route = _parse_route(message, names)
                if route is not None:
                    found.add(route)
        return found

    def add_route(self, route: Route, index: int, *, on_link: bool) -> None:
        try:
            self._netlink.ask(_NEWROUTE, _route(route, index, on_link=on_link), netlink.F_CREATE | netlink.F_REPLACE)
        except netlink.NetlinkError as error:
            if not netlink.is_there(error):
                raise

    def delete_route(self, route: Route, index: int) -> None:
        try:
            self._netlink.ask(_DELROUTE, _route(route, index, on_link=False))
        except netlink.NetlinkError as error:
            if not netlink.is_gone(error):
                raise

    def _add(self, *parts: bytes) -> None:
        payload = _LINK.pack(0, 0, 0, 0, 0) + b"".join(parts)
        self._netlink.ask(_NEWLINK, payload, netlink.F_CREATE | netlink.F_EXCL)


def _mac(mac: str) -> bytes:
    return attribute(_IFLA_ADDRESS, bytes.fromhex(mac.replace(":", "")))


def _link_info(kind: str, *options: bytes) -> bytes:
    return nested(_IFLA_LINKINFO, text(_INFO_KIND, kind), *options)


def _parse_link(message: bytes) -> Link:
    _, _, index, flags, _ = _LINK.unpack_from(message)
    values = attributes(message[_LINK.size :])
    info = attributes(values.get(_IFLA_LINKINFO, b""))
    return Link(
        index=index,
        name=values[_IFLA_IFNAME].rstrip(b"\0").decode(),
        kind=info.get(_INFO_KIND, b"").rstrip(b"\0").decode(),
        mac=values.get(_IFLA_ADDRESS, b"").hex(":"),
        mtu=struct.unpack("=I", values[_IFLA_MTU])[0],
        is_up=bool(flags & _IFF_UP),
        master=struct.unpack("=I", values.get(_IFLA_MASTER, b"\0\0\0\0"))[0],
        stats=values.get(_IFLA_STATS64, b""),
    )


def _address(index: int, interface: str) -> bytes:
    value = ipaddress.ip_interface(interface)
    family = socket.AF_INET if value.version == 4 else socket.AF_INET6
    # An address that a crash or a move brings back must answer at once: no waiting for duplicates.
    payload = _ADDR.pack(family, value.network.prefixlen, _IFA_F_NODAD if value.version == 6 else 0, 0, index)
    payload += attribute(_IFA_LOCAL, value.packed) + attribute(_IFA_ADDRESS, value.packed)
    if value.version == 4 and value.network.prefixlen < 31:
        payload += attribute(_IFA_BROADCAST, value.network.broadcast_address.packed)
    return payload


def _route(route: Route, index: int, *, on_link: bool) -> bytes:
    destination = ipaddress.ip_network(route.destination)
    family = socket.AF_INET if destination.version == 4 else socket.AF_INET6
    scope = _SCOPE_UNIVERSE if route.gateway or family == socket.AF_INET6 else _SCOPE_LINK
    flags = _RTNH_F_ONLINK if on_link and route.gateway else 0
    payload = _ROUTE.pack(family, destination.prefixlen, 0, 0, _RT_TABLE_MAIN, _RTPROT_OURS, scope, _RTN_UNICAST, flags)
    payload += attribute(_RTA_DST, destination.network_address.packed) + u32(_RTA_OIF, index)
    if route.gateway:
        payload += attribute(_RTA_GATEWAY, ipaddress.ip_address(route.gateway).packed)
    return payload


def _parse_route(message: bytes, names: dict[int, str]) -> Route | None:
    family, prefix_length, _, _, table, protocol, _, kind, _ = _ROUTE.unpack_from(message)
    if (table, protocol, kind) != (_RT_TABLE_MAIN, _RTPROT_OURS, _RTN_UNICAST):
        return None
    values = attributes(message[_ROUTE.size :])
    (link,) = struct.unpack("=I", values.get(_RTA_OIF, b"\0\0\0\0"))
    if link not in names:
        return None
    width = 4 if family == socket.AF_INET else 16
    destination = ipaddress.ip_address(values.get(_RTA_DST, bytes(width)))
    gateway = str(ipaddress.ip_address(values[_RTA_GATEWAY])) if _RTA_GATEWAY in values else ""
    return Route(f"{destination}/{prefix_length}", gateway, names[link])
