"""Agents' websockets: wake-ups and questions go out, answers come back. The newest connection of a host counts."""

import asyncio
import contextlib
from typing import Any, Final

from aiohttp import WSMsgType, web

from pilvi.kernel import ids, work
from pilvi.kernel.errors import Unavailable
from pilvi.kernel.log import logger
from pilvi.live.process import LiveProcess

HEARTBEAT_S: Final = 20.0
ANSWER_TIMEOUT_S: Final = 5.0
SEND_TIMEOUT_S: Final = 5.0
LARGEST_ANSWER: Final = 4 * 1024 * 1024
MOST_QUESTIONS: Final = 1000


class Agents:
    """Which agents listen here, and what they were asked."""

    def __init__(self, process: LiveProcess) -> None:
        self._process = process
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._questions: dict[str, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._woken: set[str] = set()
        self._sending: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/agent/v1/events", self.events)]

    async def events(self, request: web.Request) -> web.StreamResponse:
        host = self._process.host_of(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_ANSWER)
        await socket.prepare(request)
        former, self._sockets[host] = self._sockets.get(host), socket
        logger("live").info("agent.connected", host=host)
        try:
            if former is not None:
                await former.close()
            await socket.send_json({"look": True})  # Whatever happened while it was away, it sees now.
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(host, message.json())
        except (ConnectionError, ValueError) as error:
            logger("live").info("agent.broke_off", host=host, error=repr(error))
        finally:
            if self._sockets.get(host) is socket:
                del self._sockets[host]
            logger("live").info("agent.left", host=host)
        return socket

    def _take(self, host: str, document: Any) -> None:
        id = document.get("answer") if isinstance(document, dict) else None
        asked, question = self._questions.get(str(id), ("", None))
        if question is not None and asked == host and not question.done():
            question.set_result(document)

    # -- wake-ups --------------------------------------------------------------------------------------------------

    def wake(self, host: str) -> None:
        """Say `look` once for many wake-ups that come together."""
        if host in self._sockets and host not in self._woken:
            self._woken.add(host)
            task = asyncio.ensure_future(self._say_look(host))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _say_look(self, host: str) -> None:
        self._woken.discard(host)
        with contextlib.suppress(Unavailable):
            await self.tell(host, {"look": True})

    # -- questions -------------------------------------------------------------------------------------------------

    async def tell(self, host: str, document: dict[str, Any]) -> None:
        socket = self._sockets.get(host)
        if socket is None or socket.closed:
            raise Unavailable(f"Host {host} is not connected; its agent is down or cannot reach the cloud.")
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await socket.send_json(document)
        except (TimeoutError, ConnectionError):
            raise Unavailable(f"Host {host} does not take messages.") from None

    async def ask(self, host: str, what: str, **arguments: Any) -> dict[str, Any]:
        """A question to a host's agent and its answer. Raises Unavailable when none comes in time."""
        if len(self._questions) >= MOST_QUESTIONS:
            raise Unavailable("Too many questions to hosts are open; try again.")
        id = ids.hexid()
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._questions[id] = (host, future)
        try:
            await self.tell(host, {"ask": id, "what": what, **arguments})
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await future
        except TimeoutError:
            raise Unavailable(f"Host {host} did not answer within {ANSWER_TIMEOUT_S:.0f} s.") from None
        finally:
            del self._questions[id]

    def connected(self) -> list[str]:
        """The hosts whose agents listen here."""
        return sorted(host for host, socket in self._sockets.items() if not socket.closed)

    async def close(self) -> None:
        for socket in list(self._sockets.values()):
            await socket.close()


class WakeSocket(asyncio.DatagramProtocol):
    """Takes host names as datagrams from those who change what a host should do; an empty one means imports."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data:
            self._agents.wake(data.decode("utf-8", "replace")[:255])
        else:
            for listener in work.wake:
                listener()
