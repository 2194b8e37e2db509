"""The agent's line to `live`: told when to look, asked for consoles, opens tunnels to guests' screens.

Nothing depends on it: without the line the agent looks by itself every few seconds.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp

from pilvi.agent.control import tls_context
from pilvi.kernel import metrics
from pilvi.kernel.config import Config
from pilvi.kernel.errors import Fault
from pilvi.kernel.log import logger

HEARTBEAT_S: Final = 20.0
CONNECT_TIMEOUT_S: Final = 10.0
BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_S: Final = 30.0
"""A connection that lasted so long makes the next pause the shortest again."""
LARGEST_QUESTION: Final = 64 * 1024
LARGEST_TUNNEL_MESSAGE: Final = 1024 * 1024
SCREEN_BYTES: Final = 64 * 1024
MOST_JOBS: Final = 200
"""Questions and tunnels at once; more are refused."""


class Link:
    """Keeps one websocket to `live` open, over the front's port for agents."""

    def __init__(
        self,
        config: Config,
        *,
        on_look: Callable[[], None],
        console_output: Callable[[str, int | None], str],
        vnc_socket: Callable[[str], Path | None],
    ) -> None:
        """`on_look` must return at once. The other two may block, for they run in threads, and may raise.

        `console_output(server_id, lines)` gives the last lines of a guest's console, all where lines is None;
        `vnc_socket(server_id)` the unix socket of its screen.
        """
        self._config = config
        self._on_look = on_look
        self._console_output = console_output
        self._vnc_socket = vnc_socket
        self._jobs: set[asyncio.Task[None]] = set()

    def url(self) -> str:
        return f"https://{self._config.front.agents_listen}"

    def connector(self) -> aiohttp.BaseConnector:
        """A new one per connection: the host's certificate may have been renewed meanwhile."""
        return aiohttp.TCPConnector(ssl=tls_context(self._config))

    def _session(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT_S)
        return aiohttp.ClientSession(timeout=timeout, connector=self.connector())

    async def run(self) -> None:
        """Connect, listen, and connect again with growing pauses, until cancelled."""
        attempt = 0
        loop = asyncio.get_running_loop()
        try:
            while True:
                started = loop.time()
                try:
                    await self._listen()
                except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                    logger("link").info("link.broken", error=repr(error))
                attempt = 0 if loop.time() - started > STEADY_S else min(attempt + 1, len(BACKOFF_S) - 1)
                # Spread, so that the hosts of a large cloud do not all come back at the same moment.
                await asyncio.sleep(BACKOFF_S[attempt] * random.uniform(0.5, 1.0))  # noqa: S311
        finally:
            await self._drop_jobs()

    async def _listen(self) -> None:
        url = f"{self.url()}/agent/v1/events"
        async with (
            self._session() as session,
            session.ws_connect(url, heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_QUESTION) as socket,
        ):
            logger("link").info("link.connected")
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(socket, message.json())

    def _take(self, socket: aiohttp.ClientWebSocketResponse, said: Any) -> None:
        if not isinstance(said, dict):
            return
        if said.get("look"):
            self._on_look()
        elif len(self._jobs) >= MOST_JOBS:
            logger("link").warning("link.overloaded", jobs=len(self._jobs))
        elif "ask" in said:
            self._begin(self._answer(socket, said))
        elif "open" in said:
            self._begin(self._tunnel(str(said["open"]), str(said.get("server_id"))))

    def _begin(self, job: Any) -> None:
        task = asyncio.ensure_future(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _drop_jobs(self) -> None:
        for task in list(self._jobs):
            task.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    # -- questions -------------------------------------------------------------------------------------------------

    async def _answer(self, socket: aiohttp.ClientWebSocketResponse, said: dict[str, Any]) -> None:
        answer = {"answer": said["ask"], **await self._find_answer(said)}
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            await socket.send_json(answer)

    async def _find_answer(self, said: dict[str, Any]) -> dict[str, Any]:
        if said.get("what") == "figures":
            return {"figures": await asyncio.to_thread(metrics.snapshot)}
        if said.get("what") != "console_output":
            return {"error": f"This host does not know the question {str(said.get('what'))[:40]!r}."}
        server_id, lines = str(said.get("server_id")), said.get("lines")
        try:
            return {"text": await asyncio.to_thread(self._console_output, server_id, lines)}
        except Fault as fault:
            return {"error": fault.message}
        except Exception as error:  # noqa: BLE001 the asker must hear something, the line must live
            logger("link").error("console.failed", server_id=server_id, error=repr(error))
            return {"error": "The host could not read the console."}

    # -- tunnels ---------------------------------------------------------------------------------------------------

    async def _tunnel(self, tunnel_id: str, server_id: str) -> None:
        """Join a guest's screen with a new websocket to `live`. A send waits for a slow reader, so nothing piles up."""
        try:
            path = await asyncio.to_thread(self._vnc_socket, server_id)
            if path is None:
                raise FileNotFoundError("the guest has no screen")
            reader, writer = await asyncio.open_unix_connection(str(path), limit=SCREEN_BYTES)
        except Exception as error:  # noqa: BLE001 no tunnel then: `live` tells the browser
            logger("link").warning("tunnel.no_screen", server_id=server_id, error=repr(error))
            return
        url = f"{self.url()}/agent/v1/tunnel/{tunnel_id}"
        try:
            async with (
                self._session() as session,
                session.ws_connect(
                    url, heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_TUNNEL_MESSAGE, compress=0
                ) as socket,
            ):
                await _join(reader, writer, socket)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            logger("link").info("tunnel.broken", server_id=server_id, error=repr(error))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: aiohttp.ClientWebSocketResponse
) -> None:
    async def out() -> None:
        while chunk := await reader.read(SCREEN_BYTES):
            await socket.send_bytes(chunk)

    async def into() -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                writer.write(message.data)
                await writer.drain()

    ways = {asyncio.ensure_future(out()), asyncio.ensure_future(into())}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
