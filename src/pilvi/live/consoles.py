"""Consoles: a browser's websocket joined with the guest's screen, through the agent of its host."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from pilvi.kernel import ids
from pilvi.kernel.errors import Fault, Forbidden, NotFound, Unavailable
from pilvi.kernel.log import logger
from pilvi.live import compute
from pilvi.live.agents import Agents
from pilvi.live.process import CTX, LiveProcess

PAGES: Final = Path("/usr/share/novnc")
HEARTBEAT_S: Final = 30.0
TUNNEL_TIMEOUT_S: Final = 10.0
"""How long an agent may take to open its end."""
LARGEST_MESSAGE: Final = 1024 * 1024
MOST_CONSOLES: Final = 500
PAGE_HEADERS: Final = {
    "Referrer-Policy": "no-referrer",  # The address holds the token.
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "private, max-age=3600",
}


class Consoles:
    """Open consoles, and tunnels that agents are asked to open."""

    def __init__(self, process: LiveProcess, agents: Agents) -> None:
        self._process = process
        self._agents = agents
        self._awaited: dict[str, tuple[str, asyncio.Future[web.WebSocketResponse]]] = {}
        self._open = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/console/websocket", self.browser),
            web.get("/agent/v1/tunnel/{tunnel_id}", self.tunnel),
            web.get("/internal/console-output", self.output),
            web.get("/console", self.front_page),
            web.get("/console/{path:.*}", self.page),
        ]

    # -- text ------------------------------------------------------------------------------------------------------

    async def output(self, request: web.Request) -> web.Response:
        self._process.check_internal(request)
        query = request.query
        lines = query.get("lines", "")
        answer = await self._agents.ask(
            query["host"], "console_output", server_id=query["server_id"], lines=int(lines) if lines else None
        )
        if "error" in answer:
            raise Unavailable(str(answer["error"])[:500])
        return web.Response(text=str(answer.get("text", "")))

    # -- screens ---------------------------------------------------------------------------------------------------

    async def browser(self, request: web.Request) -> web.StreamResponse:
        """One console: the token opens it once."""
        self._check_origin(request)
        if self._open >= MOST_CONSOLES:
            raise Unavailable("Too many consoles are open.")
        token = request.query.get("token", "")[:200]
        try:
            console = await self._process.write(lambda tx: compute.redeem(tx, token))
        except Fault:
            return web.Response(status=403)
        self._open += 1
        try:
            agent = await self._tunnel_to(console.host, console.server_id)
            browser = web.WebSocketResponse(
                protocols=("binary",), heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_MESSAGE, compress=False
            )
            await browser.prepare(request)
            logger("live").info("console.opened", server_id=console.server_id, host=console.host)
            await _join(browser, agent)
            logger("live").info("console.closed", server_id=console.server_id)
            return browser
        finally:
            self._open -= 1

    def _check_origin(self, request: web.Request) -> None:
        """A page of another site must not open a console with a stolen address."""
        origin = request.headers.get("Origin")
        host = urlsplit(request[CTX].cloud_url).netloc
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise Forbidden("Consoles are opened by this cloud's own pages only.")

    async def _tunnel_to(self, host: str, server_id: str) -> web.WebSocketResponse:
        """The agent's end of a new tunnel to a guest's screen."""
        tunnel_id = ids.hexid()
        future: asyncio.Future[web.WebSocketResponse] = asyncio.get_running_loop().create_future()
        self._awaited[tunnel_id] = (host, future)
        try:
            await self._agents.tell(host, {"open": tunnel_id, "server_id": server_id})
            async with asyncio.timeout(TUNNEL_TIMEOUT_S):
                return await future
        except TimeoutError:
            raise Unavailable(f"Host {host} did not open the console in time.") from None
        finally:
            del self._awaited[tunnel_id]

    async def tunnel(self, request: web.Request) -> web.StreamResponse:
        """The agent's end: kept open here while `_join` in the browser's request moves the bytes."""
        host = self._process.host_of(request)
        awaited_host, future = self._awaited.get(request.match_info["tunnel_id"], ("", None))
        if future is None or awaited_host != host or future.done():
            raise NotFound("Nobody waits for this tunnel.")
        agent = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_MESSAGE, compress=False)
        await agent.prepare(request)
        if future.done():
            await agent.close()
            return agent
        agent_closed = asyncio.get_running_loop().create_future()
        _closings[agent] = agent_closed
        future.set_result(agent)
        await agent_closed
        return agent

    # -- pages -----------------------------------------------------------------------------------------------------

    async def front_page(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/console/vnc.html")

    async def page(self, request: web.Request) -> web.StreamResponse:
        """noVNC, as the distribution packages it."""
        if not PAGES.is_dir():
            raise Unavailable("noVNC is not installed on this machine. Run: apt-get install novnc")
        path = (PAGES / (request.match_info["path"] or "vnc.html")).resolve()
        if not path.is_relative_to(PAGES.resolve()) or not path.is_file():
            raise NotFound("There is no such page.")
        return web.FileResponse(path, headers=PAGE_HEADERS)


_closings: dict[web.WebSocketResponse, asyncio.Future[None]] = {}
"""What the agent's request waits for; its websocket ends when the request does."""


async def _join(browser: web.WebSocketResponse, agent: web.WebSocketResponse) -> None:
    """Move messages both ways until one end is closed. A send waits for a slow reader, so nothing piles up."""
    ways = {asyncio.ensure_future(_pump(browser, agent)), asyncio.ensure_future(_pump(agent, browser))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (browser, agent):
            with contextlib.suppress(Exception):
                await end.close()
        closing = _closings.pop(agent, None)
        if closing is not None and not closing.done():
            closing.set_result(None)


async def _pump(source: web.WebSocketResponse, target: web.WebSocketResponse) -> None:
    async for message in source:
        if message.type is WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type is WSMsgType.TEXT:
            await target.send_bytes(message.data.encode())
