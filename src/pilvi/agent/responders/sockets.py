"""Sockets that are opened inside a network's namespace and then kept: they stay there, whoever uses them."""

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from pilvi.agent.responders import dhcp4, dhcp6, dns
from pilvi.agent.responders.advertisement import ALL_ROUTERS, ROUTER_SOLICITATION
from pilvi.agent.responders.plan import METADATA_ADDRESS
from pilvi.network.drivers import names
from pilvi.network.drivers.linux import namespaces

METADATA_PORT = 80
_BACKLOG = 64
IP_PKTINFO = 8
IPV6_PKTINFO = 50
_IP_FREEBIND = 15
_ICMP6_FILTER = 1
_IPV6_RECVPKTINFO = 49


@dataclass(slots=True)
class ServiceSockets:
    """All that a network's service namespace answers on."""

    place: tuple[int, int]
    dhcp4: socket.socket
    dhcp6: socket.socket | None
    dns4: socket.socket
    dns6: socket.socket | None
    metadata: socket.socket

    def close(self) -> None:
        for one in (self.dhcp4, self.dhcp6, self.dns4, self.dns6, self.metadata):
            if one is not None:
                one.close()


@dataclass(slots=True)
class _Opening:
    """Closes what was opened when a later one fails."""

    opened: list[socket.socket] = field(default_factory=list)

    def add(self, one: socket.socket) -> socket.socket:
        self.opened.append(one)
        return one

    def close(self) -> None:
        for one in self.opened:
            one.close()


def place_of(namespace: str, link: str) -> tuple[int, int]:
    """Which namespace and which link a name means now: sockets of an earlier one are deaf."""
    return namespaces.identity(namespace), namespaces.inside(namespace, lambda: socket.if_nametoindex(link))


def open_service(namespace: str) -> ServiceSockets:
    place = place_of(namespace, names.SERVICE_LINK)
    return namespaces.inside(namespace, lambda: _guarded(lambda opening: _open_service(opening, place)))


def _guarded(action: Callable[[_Opening], ServiceSockets]) -> ServiceSockets:
    opening = _Opening()
    try:
        return action(opening)
    except BaseException:
        opening.close()
        raise


def _open_service(opening: _Opening, place: tuple[int, int]) -> ServiceSockets:
    lease = opening.add(_udp(socket.AF_INET, dhcp4.SERVER_PORT))
    lease.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    name4 = opening.add(_udp(socket.AF_INET, dns.PORT))
    lease6 = name6 = None
    if socket.has_ipv6:
        lease6 = opening.add(_udp(socket.AF_INET6, dhcp6.SERVER_PORT))
        _join(lease6, dhcp6.ALL_SERVERS, place[1])
        name6 = opening.add(_udp(socket.AF_INET6, dns.PORT))
    metadata = opening.add(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    metadata.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    metadata.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    metadata.bind((METADATA_ADDRESS, METADATA_PORT))
    metadata.listen(_BACKLOG)
    metadata.setblocking(False)
    return ServiceSockets(place, lease, lease6, name4, name6, metadata)


def _udp(family: socket.AddressFamily, port: int) -> socket.socket:
    """Hears only the network's own link; knows to which of our addresses a datagram came."""
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, names.SERVICE_LINK.encode())
    if family == socket.AF_INET:
        one.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    else:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
    one.setblocking(False)
    one.bind(("", port))
    return one


def open_solicitations(namespace: str, link: str) -> tuple[socket.socket, int]:
    """A raw socket that hears router solicitations on a link and may send advertisements; and the link's number."""

    def opened() -> tuple[socket.socket, int]:
        one = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        try:
            index = socket.if_nametoindex(link)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode())
            blocked = bytearray(b"\xff" * 32)
            blocked[ROUTER_SOLICITATION // 8] &= ~(1 << ROUTER_SOLICITATION % 8) & 0xFF
            one.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(blocked))
            for option in (socket.IPV6_MULTICAST_HOPS, socket.IPV6_UNICAST_HOPS):
                one.setsockopt(socket.IPPROTO_IPV6, option, 255)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            _join(one, ALL_ROUTERS, index)
            one.setblocking(False)
        except BaseException:
            one.close()
            raise
        return one, index

    return namespaces.inside(namespace, opened)


def open_question(namespace: str, resolver: str) -> socket.socket:
    """A fresh socket, hence a fresh source port, for one forwarded name."""

    def opened() -> socket.socket:
        family = socket.AF_INET6 if ":" in resolver else socket.AF_INET
        one = socket.socket(family, socket.SOCK_DGRAM)
        try:
            one.setblocking(False)
            one.connect((resolver, dns.PORT))
        except BaseException:
            one.close()
            raise
        return one

    return namespaces.inside(namespace, opened)


def _join(one: socket.socket, group: str, index: int) -> None:
    membership = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index)
    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
