"""The `live` process: the real byte path of images, and the real loops that move bytes, on real files.

Its handlers are coroutines. A coroutine never waits here: whatever it awaits is done at once, as steps of the task that
runs it, so one small event loop for each request is enough.
"""

import asyncio
import errno
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import orjson
from aiohttp import web

from pilvi.identity import facade as identity
from pilvi.image import faults as image_faults
from pilvi.image.drivers import web as web_driver
from pilvi.image.drivers.file import Sink
from pilvi.image.drivers.protocol import StoreFault
from pilvi.image.drivers.web import CannotFetch
from pilvi.image.image_data import reconcile as image_data
from pilvi.image.image_data.model import Download, Holder, holder_on
from pilvi.image.image_data.stream import BYTES, ImageStreams
from pilvi.image.imports import reconcile as imports
from pilvi.image.routes import cache_loops, live_loops
from pilvi.image.stores.model import Stores, stores_of
from pilvi.kernel import ids
from pilvi.kernel.config import Config
from pilvi.kernel.context import Context
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.errors import Fault, Unauthorized, Unavailable
from pilvi.kernel.http import SERVICE_ROLE, below, unauthorized_body
from pilvi.kernel.loop import Loop
from pilvi.live.host_images import HostImages
from pilvi.live.process import CTX
from tests.sim.scheduler import Process, Scheduler
from tests.sim.wire import Reply

T = TypeVar("T")
LARGEST_BYTES = 1024 * 1024


class SmallLoop(asyncio.AbstractEventLoop):
    """Runs one coroutine to its end. Executors run at once; timers never fire, for nothing takes time by itself."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._ready: deque[asyncio.Handle] = deque()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        former = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            task = asyncio.Task(work, loop=self)
            while not task.done():
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
            return task.result()
        finally:
            asyncio._set_running_loop(former)

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        return asyncio.TimerHandle(when, callback, args, self, context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **_: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(StopExecution(repr(error)) if isinstance(error, StopIteration) else error)
        return future

    def time(self) -> float:
        return self._scheduler.now

    def get_debug(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """No timer is kept."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._scheduler.failures.append(("live", error or RuntimeError(str(context.get("message")))))


class StopExecution(RuntimeError):
    """A future cannot carry StopIteration."""


class Pieces:
    """The body of an upload: it comes in pieces, and may break off."""

    def __init__(self, scheduler: Scheduler, pieces: list[bytes], *, breaks_off: bool = False) -> None:
        self._scheduler, self._pieces, self._breaks_off = scheduler, deque(pieces), breaks_off

    async def readany(self) -> bytes:
        self._scheduler.point("piece")
        if self._pieces:
            return self._pieces.popleft()
        if self._breaks_off:
            raise ConnectionResetError("the client went away")
        return b""


class Request(dict[Any, Any]):
    """As much of `aiohttp.web.Request` as the handlers use."""

    def __init__(
        self, method: str, path: str, headers: Mapping[str, str], match: dict[str, str], content: Pieces, length: int
    ) -> None:
        super().__init__()
        self.method, self.path, self.headers, self.match_info = method, path, headers, match
        self.content, self.content_length, self.content_type = content, length, headers.get("Content-Type", BYTES)


@dataclass(frozen=True)
class Upload:
    """What a client sends."""

    image_id: str
    content: bytes
    kind: str = "file"
    """Or `stage`."""
    store: str = ""
    pieces: int = 2
    breaks_off: bool = False


class Streams(ImageStreams):
    """Bytes that are elsewhere come as one answer: here is no socket to pass them on to."""

    async def _relay(
        self, request: web.Request, found: Download, pieces: Iterator[bytes], headers: dict[str, str], part: Any = None
    ) -> web.StreamResponse:
        try:
            return web.Response(body=b"".join(pieces), headers=headers)
        except StoreFault as error:
            raise Unavailable(f"The data of image {found.image_id} cannot be read: {error}") from None


class Live:
    """One run of the process. Its address on the wire is `live`."""

    def __init__(
        self, scheduler: Scheduler, config: Config, database: Database, process: Process, called: Counter[str]
    ) -> None:
        self.scheduler, self.config, self.database, self.process = scheduler, config, database, process
        self._called = called
        self.disk: Any = None
        self.holder: Holder = holder_on(config.host, ids.hexid())
        self.stores: Stores = stores_of(config)
        self.images = Streams(self, self.stores, LARGEST_BYTES, self.holder)
        self.host_images = HostImages(self, self.images)  # type: ignore[arg-type]  # it is asked for these few only

    def loops(self) -> list[Loop]:
        return [*live_loops(self.config, self.holder), *cache_loops(self.config)]

    def take_over(self) -> None:
        image_data.take_over(self.database, self.stores, self.holder)

    # -- what handlers need ----------------------------------------------------------------------------------------

    async def read(self, work: Callable[[Tx], T]) -> T:
        return self.database.read(work)

    async def write(self, work: Callable[[Tx], T]) -> T:
        return self.database.write(work)

    async def identify(self, request: Any) -> Context:
        ctx: Context = request[CTX]

        def look(tx: Tx) -> None:
            ctx.principal = identity.authenticate(tx, ctx.token_id, late=SERVICE_ROLE in ctx.service_roles)

        self.database.read(look)
        if not identity.permits(ctx.principal, "image", request.method, below(request.path)):
            raise Unauthorized("The access rules of this application credential do not allow this request.")
        return ctx

    def host_of(self, request: Any) -> str:
        return str(request.headers["X-Pilvi-Host"])

    # -- requests --------------------------------------------------------------------------------------------------

    def upload(self, token: str, what: Upload) -> Reply:
        size = max(1, len(what.content) // what.pieces)
        pieces = [what.content[at : at + size] for at in range(0, len(what.content), size)]
        sent = Pieces(self.scheduler, pieces[:1] if what.breaks_off else pieces, breaks_off=what.breaks_off)
        headers = {"X-Auth-Token": token, **({"X-Image-Meta-Store": what.store} if what.store else {})}
        path = f"/image/v2/images/{what.image_id}/{what.kind}"
        request = Request("PUT", path, headers, {"image_id": what.image_id}, sent, len(what.content))
        return self._serve(request, self.images.upload if what.kind == "file" else self.images.stage)

    def download(self, token: str, image_id: str) -> Reply:
        path = f"/image/v2/images/{image_id}/file"
        return self._serve(self._get(path, {"X-Auth-Token": token}, image_id), self.images.download)

    def download_for_host(self, host: str, image_id: str) -> Reply:
        path = f"/agent/v1/images/{image_id}/file"
        return self._serve(self._get(path, {"X-Pilvi-Host": host}, image_id), self.host_images.download)

    def upload_of_host(self, host: str, image_id: str, content: bytes) -> Reply:
        path, headers = f"/agent/v1/images/{image_id}/file", {"X-Pilvi-Host": host}
        sent = Pieces(self.scheduler, [content])
        request = Request("PUT", path, headers, {"image_id": image_id}, sent, len(content))
        return self._serve(request, self.host_images.upload)

    def _get(self, path: str, headers: dict[str, str], image_id: str) -> Request:
        return Request("GET", path, headers, {"image_id": image_id}, Pieces(self.scheduler, []), 0)

    def _serve(self, request: Request, handler: Callable[[Any], Coroutine[Any, Any, web.StreamResponse]]) -> Reply:
        ctx = request[CTX] = Context(
            request_id=ids.request_id(), base_url="", cloud_url="", method=request.method, path=request.path,
            started=self.scheduler.now, token_id=request.headers.get("X-Auth-Token", ""),
        )  # fmt: skip
        try:
            found = SmallLoop(self.scheduler).run(handler(request))
        except Fault as fault:
            body = unauthorized_body(fault) if fault.status == 401 else image_faults.dress(fault, ctx)
            return Reply(fault.status, {}, orjson.dumps(body))
        self._called[f"live {handler.__qualname__}"] += 1
        if isinstance(found, web.FileResponse):
            return Reply(found.status, {}, found._path.read_bytes())
        return Reply(found.status, {}, found.body if isinstance(found, web.Response) and found.body else b"")  # type: ignore[arg-type]


class SimThread:
    """`threading.Thread` for what `live` does on the side: a task that dies with the process."""

    scheduler: Scheduler

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], **_: Any) -> None:
        self._work, self._is_over = lambda: target(*args), False

    def start(self) -> None:
        def run() -> None:
            try:
                self._work()
            finally:
                self._is_over = True

        self.scheduler.spawn("import", run, self.scheduler.process)

    def is_alive(self) -> bool:
        return not self._is_over


class Disk:
    """The disk of the stores: full at times, and a place to die at."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.is_full = False
        self._write, self._keep = Sink.write, Sink.keep

    def fill(self, sink: Sink, content: bytes) -> None:
        """At once, for what is there from the start."""
        self._write(sink, content)
        self._keep(sink)

    def swaps(self) -> list[tuple[Any, str, Any]]:
        """What is to be put in the place of what, as long as the world lasts."""
        write, keep, disk = self._write, self._keep, self

        def writing(sink: Sink, chunk: bytes | memoryview) -> None:
            disk._scheduler.point("disk write", slow=False)
            if disk.is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(sink, chunk)

        def keeping(sink: Sink) -> None:
            disk._scheduler.point("disk keep")
            keep(sink)
            disk._scheduler.point("disk kept")

        thread = type("Thread", (SimThread,), {"scheduler": self._scheduler})
        reading = partial(fetch, self._scheduler)
        swaps = [(Sink, "write", writing), (Sink, "keep", keeping), (web_driver, "fetch", reading)]
        return [*swaps, (imports, "threading", _Threads(thread))]


def fetch(scheduler: Scheduler, uri: str, *, allowed_hosts: frozenset[str], largest_bytes: int) -> Iterator[bytes]:
    """The web: every address has bytes of its own, and some do not answer."""
    for piece in (f"the bytes of {uri}\n", "and more\n"):
        scheduler.point("fetch", uri)
        if scheduler.rng.random() < 0.05:
            raise CannotFetch(f"{uri} broke off.")
        yield piece.encode()


class _Threads:
    def __init__(self, thread: type[SimThread]) -> None:
        self.Thread = thread


def files_of(stores: Stores) -> dict[str, dict[str, Path]]:
    """Every file of every store and of the place for staged bytes, by store and name."""
    folders = {store.id: store.directory for store in stores.all} | {"staging": stores.staging}
    return {
        name: {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
        for name, folder in folders.items()
    }
