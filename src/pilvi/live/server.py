"""The `live` process: an aiohttp server on a unix socket, and the socket that takes wake-ups."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from pilvi.image import faults as image_faults
from pilvi.image.image_data import reconcile as image_data
from pilvi.image.image_data.model import holder_on
from pilvi.image.image_data.stream import ImageStreams
from pilvi.image.routes import cache_loops, live_loops
from pilvi.image.stores.model import stores_of
from pilvi.kernel import clock, ids, listen, measures, policy_files, tracing
from pilvi.kernel.config import Config
from pilvi.kernel.db import Database, connect
from pilvi.kernel.errors import Fault
from pilvi.kernel.http import Authenticate, unauthorized_body
from pilvi.kernel.log import configure, logger
from pilvi.kernel.loop import Runner
from pilvi.kernel.secret_files import SecretFile, Secrets
from pilvi.live.agents import Agents, WakeSocket
from pilvi.live.consoles import Consoles
from pilvi.live.figures import Figures
from pilvi.live.host_images import HostImages
from pilvi.live.memory import Memory
from pilvi.live.process import CTX, LiveProcess
from pilvi.ops.monitoring import otlp
from pilvi.ops.monitoring.process import know_oneself

READ_BYTES: Final = 256 * 1024
"""Of one request's body, kept in memory while it waits for the disk."""
STOP_S: Final = 10.0
"""How long running transfers may go on after the signal to stop."""
BACKLOG: Final = 1024
GIB: Final = 1024**3
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LiveServer:
    """Everything of the process, apart from signals; tests run it in their own loop."""

    def __init__(self, config: Config, database: Database, authenticate: Authenticate, secret: Secrets) -> None:
        self.config = config
        self.process = LiveProcess(config, database, authenticate, secret)
        self.agents = Agents(self.process)
        self.holder = holder_on(config.host, ids.hexid())
        self.images = ImageStreams(self.process, stores_of(config), config.image.largest_gib * GIB, self.holder)
        self.figures = Figures(self.process, self.agents, SecretFile(config.paths.metrics_token))
        loops = live_loops(config, self.holder), cache_loops(config)
        self._runners = [Runner(database, own) for own in loops if own]
        self._runner: web.AppRunner | None = None
        self._wake: asyncio.DatagramTransport | None = None
        self._memory = Memory()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.on_response_prepare.append(_tell_trace)
        consoles, host_images = Consoles(self.process, self.agents), HostImages(self.process, self.images)
        for part in (self.images, self.agents, consoles, host_images, self.figures):
            app.add_routes(part.routes())
        app.add_routes([web.get("/healthz", _healthz)])
        return app

    async def start(self, listener: socket.socket | None = None) -> None:
        paths = self.config.paths
        await asyncio.to_thread(image_data.take_over, self.process.database, stores_of(self.config), self.holder)
        for runner in self._runners:
            runner.start()
        self._runner = web.AppRunner(
            self.application(), access_log=None, read_bufsize=READ_BYTES, shutdown_timeout=STOP_S, handle_signals=False
        )
        await self._runner.setup()
        if listener is not None:
            await web.SockSite(self._runner, listener, backlog=BACKLOG).start()
        else:
            paths.live_socket.unlink(missing_ok=True)
            await web.UnixSite(self._runner, str(paths.live_socket), backlog=BACKLOG).start()
            paths.live_socket.chmod(0o600)
        paths.live_wake_socket.unlink(missing_ok=True)
        waking = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        waking.bind(str(paths.live_wake_socket))
        paths.live_wake_socket.chmod(0o600)
        loop = asyncio.get_running_loop()
        self.figures.start()
        self._wake, _ = await loop.create_datagram_endpoint(lambda: WakeSocket(self.agents), sock=waking)

    async def stop(self) -> None:
        if self._wake is not None:
            self._wake.close()
        await self.figures.stop()
        await self.agents.close()
        self._memory.close()
        if self._runner is not None:
            await self._runner.cleanup()
        loop = asyncio.get_running_loop()
        for runner in self._runners:
            await loop.run_in_executor(None, runner.stop)
        await loop.run_in_executor(None, self.process.close)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Faults become answers in the API's own shape; nothing else gets out."""
        ctx = request[CTX] = self.process.context(request)
        began, began_at, status = clock.monotonic(), clock.now(), 500
        try:
            answer = await handler(request)
            status = answer.status
            return answer
        except web.HTTPException as answer:
            status = answer.status
            raise
        except Fault as fault:
            status = fault.status
            return _refuse(request, fault)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 what the edge does for the JSON APIs
            logger("live").exception("request.failed", request_id=ctx.request_id, path=request.path, error=repr(error))
            return _refuse(request, Fault(f"Something went wrong on our side. The request id is {ctx.request_id}."))
        finally:
            self._memory.request_ended()
            _count(request, status, clock.monotonic() - began, began_at)


async def _tell_trace(request: web.Request, response: web.StreamResponse) -> None:
    if CTX in request:
        response.headers["traceresponse"] = tracing.parent_of(request[CTX].request_id)


def _count(request: web.Request, status: int, seconds: float, began_at: float) -> None:
    """By the route's template. What lasts as long as its client wants has no duration worth a histogram."""
    resource = request.match_info.route.resource
    if resource is None:
        measures.REQUESTS.inc("none", "none", str(status))
        return
    name = f"{request.method} {resource.canonical}"
    measures.REQUESTS.inc("live", name, str(status))
    if "Upgrade" not in request.headers:
        measures.REQUEST_SECONDS.observe(seconds, "live", name)
        parent, request_id = request.headers.get("traceparent"), request[CTX].request_id
        tracing.ended(request_id, name, request.method, status, began_at, parent)


def _refuse(request: web.Request, fault: Fault) -> web.Response:
    ctx = request[CTX]
    headers = {"X-Openstack-Request-Id": ctx.request_id, **fault.headers}
    body: dict[str, Any] = image_faults.dress(fault, ctx)
    if fault.status == 401:
        headers["WWW-Authenticate"] = f'Keystone uri="{ctx.cloud_url}/identity"'
        body = unauthorized_body(fault)
    logger("live").info("refused", request_id=ctx.request_id, method=request.method, path=request.path,
                        status=fault.status, message=fault.message)  # fmt: skip
    if request.path.startswith("/internal/"):
        return web.Response(status=fault.status, text=fault.message)
    return web.json_response(body, status=fault.status, headers=headers)


async def _healthz(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def serve(config: Config, database: Database, authenticate: Authenticate, secret: Secrets) -> None:
    """Serve until SIGTERM or SIGINT; then let running transfers end for a while."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = LiveServer(config, database, authenticate, secret)
    await server.start(listen.inherited())
    logger("live").info("live.started", socket=str(config.paths.live_socket))
    await stopped.wait()
    await server.stop()
    logger("live").info("live.stopped")


def run(config: Config) -> None:
    from pilvi.identity import facade as identity

    configure("live", config.paths.log, level=config.api.log_level)
    know_oneself()
    otlp.start(config, "live")
    policy_files.Watch(config.paths.policy, only_own=True).start()
    identity.open_keys_with(config.paths.sealing_key)
    secret = SecretFile(config.paths.front_secret)
    secret.current()  # Without one nothing begins.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(config, connect(config.database_url), identity.authenticate, secret))
