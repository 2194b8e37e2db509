"""/metrics: the figures of every process and host in one answer, for whoever shows the monitoring token.

Scrapes that come together share one gathering. A source that does not answer in time is missing from this scrape,
and `pilvi_scrape_source_up` says which. Every minute the key series go into the built-in store.
"""

import asyncio
import contextlib
import re
import socket
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web

from pilvi.kernel import clock, measures, metrics
from pilvi.kernel.config import ConfigError
from pilvi.kernel.errors import Fault, Unauthorized
from pilvi.kernel.log import logger
from pilvi.kernel.secret_files import Secrets
from pilvi.live.agents import Agents
from pilvi.live.process import LiveProcess
from pilvi.ops.monitoring import keys, model, service
from pilvi.ops.monitoring.model import Part
from pilvi.ops.monitoring.process import SOCKETS, is_place_held

FRESH_S: Final = 1.0
"""Scrapes within this time get the same figures."""
SOURCE_TIMEOUT_S: Final = 3.0
SNAPSHOT_BYTES: Final = 32 * 1024 * 1024
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_REQUEST: Final = b"GET /metrics?scope=global&scope=frontend&scope=backend HTTP/1.0\r\n\r\n"
_WORKER: Final = re.compile(r"m-([a-z]+)-(\d+)\.sock")


class Figures:
    """Gathers, answers and remembers."""

    def __init__(self, process: LiveProcess, agents: Agents, token: Secrets) -> None:
        self._process = process
        self._agents = agents
        self._token = token
        self._host = process.config.host
        self._lock = asyncio.Lock()
        self._parts: list[Part] = []
        self._front = ""
        self._gathered_at = -1e9
        self._history = 0
        self._sampling: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self.scrape), web.get("/internal/figures", self.internal)]

    async def scrape(self, request: web.Request) -> web.Response:
        """For Prometheus."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not self._may_read(given):
            raise Unauthorized(
                "Show the monitoring token: `Authorization: Bearer TOKEN`. It is in secrets/metrics_token of the state "
                "directory; `pilvi up` makes it."
            )
        parts, front = await self.gather()
        text = await asyncio.to_thread(model.render, parts, front)
        return web.Response(body=text.encode(), headers={"Content-Type": TEXT})

    def _may_read(self, token: str) -> bool:
        try:
            return self._token.knows(token)
        except ConfigError:  # A cloud whose `up` has made no token yet: nobody reads its figures.
            return False

    async def internal(self, request: web.Request) -> web.Response:
        """For commands on this machine."""
        self._process.check_internal(request)
        parts, front = await self.gather()
        document = {"parts": [[dict(part.labels), part.figures] for part in parts], "front": front}
        return web.Response(body=orjson.dumps(document), content_type="application/json")

    # -- gathering -------------------------------------------------------------------------------------------------

    async def gather(self) -> tuple[list[Part], str]:
        async with self._lock:
            if clock.monotonic() - self._gathered_at > FRESH_S:
                await self._gather()
            return self._parts, self._front

    async def _gather(self) -> None:
        began = clock.monotonic()
        sources = await asyncio.gather(self._workers(), self._hosts(), self._cloud(), self._haproxy())
        parts = [part for found, _ in sources for part in found]
        up = {name: is_up for _, told in sources for name, is_up in told.items()}
        parts += _lines(sources[2][0], self._agents.connected())
        own = {"process": "live", "host": self._host}
        parts.append(Part(own, await asyncio.to_thread(metrics.snapshot)))
        parts += await asyncio.to_thread(_kept_processes, self._process.config.paths.run / "status.json", self._host)
        about = metrics.gather(
            [
                (measures.SCRAPE_SECONDS, (), clock.monotonic() - began),
                (measures.HISTORY_SERIES, (), float(self._history)),
                *((measures.SCRAPE_SOURCES, (name,), float(is_up)) for name, is_up in up.items()),
            ]
        )
        parts.append(Part(own, about))
        self._parts, self._gathered_at = parts, clock.monotonic()

    async def _workers(self) -> tuple[list[Part], dict[str, bool]]:
        """The other processes of this machine, over their sockets. A dead worker's socket refuses at once."""
        run = self._process.config.paths.run
        paths = sorted(path for path in run.glob(SOCKETS) if _WORKER.fullmatch(path.name))
        found = await asyncio.gather(*(asyncio.to_thread(_read_snapshot, path) for path in paths))
        parts, up = [], {}
        for path, figures in zip(paths, found, strict=True):
            match = _WORKER.fullmatch(path.name)
            assert match is not None
            if figures is None and not is_place_held(path):
                continue  # Fewer workers than there were once.
            up[f"{match[1]} {match[2]}"] = figures is not None
            if figures is not None:
                parts.append(Part({"process": match[1], "worker": match[2], "host": self._host}, figures))
        return parts, up

    async def _hosts(self) -> tuple[list[Part], dict[str, bool]]:
        names = self._agents.connected()
        answers = await asyncio.gather(*(self._ask(name) for name in names))
        parts, up = [], {}
        for name, figures in zip(names, answers, strict=True):
            up[f"agent {name}"] = figures is not None
            if figures is not None:
                parts.append(Part({"process": "agent", "host": name}, figures))
        return parts, up

    async def _ask(self, host: str) -> metrics.Snapshot | None:
        try:
            answer = await self._agents.ask(host, "figures")
        except Fault:
            return None
        return model.vet(answer.get("figures"), measures.FROM_AGENTS) or None

    async def _cloud(self) -> tuple[list[Part], dict[str, bool]]:
        try:
            return await self._process.read(service.cloud), {"database": True}
        except Exception as error:  # noqa: BLE001 without a database the other figures matter most
            logger("live").warning("figures.no_database", error=repr(error))
            return [], {"database": False}

    async def _haproxy(self) -> tuple[list[Part], dict[str, bool]]:
        text = await asyncio.to_thread(_read_haproxy, self._process.config.paths.front_metrics_socket)
        self._front = model.foreign(text, {"process": "front", "host": self._host})
        return [], {"front": bool(self._front)}

    # -- remembering -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._sampling = asyncio.ensure_future(self._sample())

    async def stop(self) -> None:
        if self._sampling is not None:
            self._sampling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sampling

    async def _sample(self) -> None:
        """Once a minute, on the minute's second half, so that the minute that is over is whole."""
        former: keys.Moment | None = None
        while True:
            try:
                parts, front = await self.gather()
                moment = keys.Moment(clock.monotonic(), parts, front)
                if former is not None:
                    await self._remember(keys.series(former, moment))
                former = moment
            except Exception as error:  # noqa: BLE001 the database may be away: the next minute comes
                logger("live").warning("figures.not_remembered", error=repr(error))
            await asyncio.sleep(service.MINUTE_S - (clock.now() - 30.0) % service.MINUTE_S)

    async def _remember(self, figures: dict[str, float]) -> None:
        self._history = min(len(figures), service.SERIES_MOST)
        await self._process.write(lambda tx: service.remember(tx, figures))


def _lines(cloud: list[Part], connected: list[str]) -> list[Part]:
    """Which of the hosts that the database knows hold their line to us."""
    hosts = [part.labels["host"] for part in cloud if "host" in part.labels]
    return [
        Part({"host": host}, metrics.gather([(measures.HOST_CONNECTED, (), float(host in connected))]))
        for host in hosts
    ]


def _read_snapshot(path: Path) -> metrics.Snapshot | None:
    try:
        return model.vet(orjson.loads(_read(path, b"")))
    except (OSError, ValueError):
        return None


def _read_haproxy(path: Path) -> str:
    try:
        head, _, body = _read(path, _REQUEST).partition(b"\r\n\r\n")
    except OSError:
        return ""
    return body.decode("utf-8", "replace") if b" 200 " in head.split(b"\r\n", 1)[0] else ""


def _read(path: Path, say: bytes) -> bytes:
    """All that comes over a unix socket until its end."""
    received = bytearray()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SOURCE_TIMEOUT_S)
        connection.connect(str(path))
        if say:
            connection.sendall(say)
        while chunk := connection.recv(1 << 18):
            received += chunk
            if len(received) > SNAPSHOT_BYTES:
                raise OSError(f"{path} says more than {SNAPSHOT_BYTES} bytes.")
    return bytes(received)


def _kept_processes(path: Path, host: str) -> list[Part]:
    """What the supervisor says of the processes that it keeps."""
    try:
        document: Any = orjson.loads(path.read_bytes())
        entries = [(str(e["name"]), bool(e["pid"]), float(e["restarts"])) for e in document["processes"]]
        entries.append(("supervisor", Path(f"/proc/{int(document['supervisor'])}").exists(), 0.0))
    except (OSError, ValueError, KeyError, TypeError):
        entries = [("supervisor", False, 0.0)]
    return [
        Part(
            {"process": name, "host": host},
            metrics.gather([(measures.PROCESS_UP, (), float(is_up)), (measures.PROCESS_RESTARTS, (), restarts)]),
        )
        for name, is_up, restarts in entries
    ]
