"""Advertises the routers and prefixes of one link: at once, when asked, and from time to time."""

import asyncio
import socket

from pilvi.agent.responders import advertisement, sockets
from pilvi.agent.responders.plan import Advertisement

_INTERVALS_S = (1.0, 3.0, 10.0)  # A new link is told a few times soon, for the first may be lost.
_STEADY_INTERVAL_S = 120.0
_SHORTEST_GAP_S = 0.3
_DATAGRAM_BYTES = 1500


class Advertiser:
    def __init__(self, plan: Advertisement) -> None:
        self.plan = plan
        self.place: tuple[int, int] | None = None
        self._socket: socket.socket | None = None
        self._index = 0
        self._task: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()

    async def start(self) -> None:
        self.place = await asyncio.to_thread(sockets.place_of, self.plan.namespace, self.plan.link)
        opened, self._index = await asyncio.to_thread(sockets.open_solicitations, self.plan.namespace, self.plan.link)
        self._socket = opened
        asyncio.get_running_loop().add_reader(opened, self._solicited)
        self._task = asyncio.get_running_loop().create_task(self._advertise())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def update(self, plan: Advertisement) -> None:
        if plan != self.plan:
            self.plan = plan
            self._asked.set()

    def _solicited(self) -> None:
        assert self._socket is not None
        try:
            self._socket.recv(_DATAGRAM_BYTES)
        except OSError:
            return
        self._asked.set()

    async def _advertise(self) -> None:
        sent = 0
        while True:
            self._send()
            interval_s = _INTERVALS_S[sent] if sent < len(_INTERVALS_S) else _STEADY_INTERVAL_S
            sent += 1
            await asyncio.sleep(_SHORTEST_GAP_S)  # However often it is asked, everybody hears the same answer.
            try:
                async with asyncio.timeout(interval_s):
                    await self._asked.wait()
            except TimeoutError:
                continue
            finally:
                self._asked.clear()

    def _send(self) -> None:
        assert self._socket is not None
        try:
            message = advertisement.encode(self.plan)
            self._socket.sendto(message, (advertisement.ALL_NODES, 0, 0, self._index))
        except (OSError, ValueError):
            return  # The link is down for now or its domain is no name: the next time is soon.
