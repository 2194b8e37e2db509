"""Answers everything that the guests of one network ask on their wire."""

import asyncio
import socket
import struct
from collections.abc import Callable
from concurrent.futures import Executor

from pilvi.agent.responders import dhcp4, dhcp6, dns, sockets
from pilvi.agent.responders.allowance import Allowance
from pilvi.agent.responders.metadata_server import MetadataServer, MetadataSource
from pilvi.agent.responders.plan import NetworkPlan
from pilvi.agent.responders.sockets import ServiceSockets
from pilvi.network.drivers.linux import namespaces

_DATAGRAM_BYTES = 4096
_DATAGRAMS_PER_WAKING = 32  # Then the other networks have their turn.
_CONTROL_BYTES = 64
_MOST_FORWARDED = 64
_FORWARD_TIMEOUT_S = 3.0

Received = Callable[[bytes, tuple[str, int], list[tuple[int, int, bytes]]], None]


class NetworkResponder:
    """Its sockets are opened once; a new plan only changes what is answered."""

    def __init__(self, plan: NetworkPlan, source: MetadataSource, executor: Executor) -> None:
        self.plan = plan
        self._metadata = MetadataServer(plan.network_id, source, executor)
        self._leases = Allowance(per_s=5, burst=20)
        self._names = Allowance(per_s=200, burst=400)
        self._sockets: ServiceSockets | None = None
        self._forwards: set[asyncio.Task[None]] = set()

    @property
    def place(self) -> tuple[int, int] | None:
        return self._sockets.place if self._sockets is not None else None

    async def start(self) -> None:
        self._sockets = opened = await asyncio.to_thread(sockets.open_service, self.plan.namespace)
        await self._metadata.start(opened.metadata)
        self._listen(opened.dhcp4, self._lease_asked)
        self._listen(opened.dns4, self._name_asked_by(opened.dns4))
        if opened.dhcp6 is not None and opened.dns6 is not None:
            self._listen(opened.dhcp6, self._lease6_asked)
            self._listen(opened.dns6, self._name_asked_by(opened.dns6))

    async def stop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._sockets is not None:
            for one in (self._sockets.dhcp4, self._sockets.dhcp6, self._sockets.dns4, self._sockets.dns6):
                if one is not None:
                    loop.remove_reader(one)
        for task in list(self._forwards):
            task.cancel()
        await asyncio.gather(*self._forwards, return_exceptions=True)
        await self._metadata.stop()
        if self._sockets is not None:
            self._sockets.close()

    def _listen(self, one: socket.socket, received: Received) -> None:
        def readable() -> None:
            for _ in range(_DATAGRAMS_PER_WAKING):
                try:
                    content, control, _, sender = one.recvmsg(_DATAGRAM_BYTES, _CONTROL_BYTES)
                except (BlockingIOError, InterruptedError):
                    return
                except OSError:
                    return  # An answer of ours could not be delivered: nothing to do about it.
                try:
                    received(content, sender, control)
                except (OSError, ValueError, struct.error):
                    continue  # A packet nobody can make sense of, or one that cannot be answered now.

        asyncio.get_running_loop().add_reader(one, readable)

    def _lease_asked(self, content: bytes, _: tuple[str, int], __: list[tuple[int, int, bytes]]) -> None:
        packet = dhcp4.parse(content)
        lease = self.plan.leases.get(packet.mac) if packet is not None else None
        if packet is None or lease is None or not self._leases.permits(packet.mac):
            return
        answer = dhcp4.answer(packet, lease)
        if answer is not None and self._sockets is not None:
            source = struct.pack("=I4s4s", 0, socket.inet_aton(answer.from_ip), bytes(4))
            control = [(socket.IPPROTO_IP, sockets.IP_PKTINFO, source)]
            self._sockets.dhcp4.sendmsg([answer.content], control, 0, (answer.to_ip, dhcp4.CLIENT_PORT))

    def _lease6_asked(self, content: bytes, sender: tuple[str, int], _: list[tuple[int, int, bytes]]) -> None:
        message = dhcp6.parse(content)
        mac = dhcp6.client_mac(message, sender[0]) if message is not None else None
        lease = self.plan.leases6.get(mac) if mac is not None else None
        if message is None or mac is None or lease is None or not self._leases.permits(mac):
            return
        answer = dhcp6.answer(message, lease, self.plan.service_mac)
        if answer is not None and self._sockets is not None and self._sockets.dhcp6 is not None:
            self._sockets.dhcp6.sendto(answer, sender)

    def _name_asked_by(self, one: socket.socket) -> Received:
        def received(content: bytes, sender: tuple[str, int], control: list[tuple[int, int, bytes]]) -> None:
            query = dns.parse(content)
            if query is None or not self._names.permits(sender[0]):
                return

            def reply(answer: bytes) -> None:
                one.sendmsg([answer], _from_same_address(control), 0, sender)

            answer = dns.answer(query, self.plan)
            if answer is not None:
                reply(answer)
            elif not self.plan.resolvers or len(self._forwards) >= _MOST_FORWARDED:
                reply(dns.refusal(query))
            else:
                task = asyncio.get_running_loop().create_task(self._forward(content, query, reply))
                self._forwards.add(task)
                task.add_done_callback(self._forwards.discard)

        return received

    async def _forward(self, content: bytes, query: dns.Query, reply: Callable[[bytes], None]) -> None:
        answer = dns.failure(query)
        for resolver in self.plan.resolvers[:3]:
            try:
                answer = await _ask(self.plan.namespace, resolver, content)
                break
            except (OSError, TimeoutError, namespaces.NoNamespace):
                continue
        try:
            reply(answer)
        except OSError:
            return


async def _ask(namespace: str, resolver: str, content: bytes) -> bytes:
    """The answer to exactly this question; the socket is connected, so only the resolver is heard."""
    loop = asyncio.get_running_loop()
    with await asyncio.to_thread(sockets.open_question, namespace, resolver) as one:
        await loop.sock_sendall(one, content)
        async with asyncio.timeout(_FORWARD_TIMEOUT_S):
            while True:
                answer = await loop.sock_recv(one, _DATAGRAM_BYTES)
                if answer[:2] == content[:2] and len(answer) >= 12:
                    return answer


def _from_same_address(control: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Answers come from the address that was asked, for clients believe no other."""
    for level, kind, value in control:
        if (level, kind) == (socket.IPPROTO_IP, sockets.IP_PKTINFO):
            return [(level, kind, struct.pack("=I", 0) + value[8:12] + bytes(4))]
        if (level, kind) == (socket.IPPROTO_IPV6, sockets.IPV6_PKTINFO):
            return [(level, kind, value)]
    return []
