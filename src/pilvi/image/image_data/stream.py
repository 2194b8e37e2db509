"""The byte path of images: uploads and downloads, as they come, with constant memory. Served by `live`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from aiohttp import web

from pilvi.image.drivers import open_store
from pilvi.image.drivers.file import FileStore
from pilvi.image.drivers.protocol import HasFiles, ImageStore, Incoming, StoreFault
from pilvi.image.drivers.sandbox import InspectionFailed
from pilvi.image.drivers.web import WebReader
from pilvi.image.image_data import service
from pilvi.image.image_data.model import TOUCH_S, Download, Holder, Part, Received, Transfer, part_of
from pilvi.image.images.model import Status
from pilvi.image.inspector import refusal
from pilvi.image.stores.model import Stores
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context, internal
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Fault, Gone, NotFound, TooLarge, Unavailable, UnsupportedMediaType
from pilvi.kernel.log import logger

IDLE_S: Final = 55.0
"""Without a byte for so long, a client is given up; the front waits a little longer."""
MOST_UPLOADS: Final = 1000
SEND_BYTES: Final = 1024 * 1024
BYTES: Final = "application/octet-stream"

T = TypeVar("T")


class Streaming(Protocol):
    """What `live` gives to those who stream: who asks, transactions and slow calls off the event loop."""

    @property
    def disk(self) -> Executor: ...

    async def identify(self, request: web.Request) -> Context:
        """The caller; raises Unauthorized."""

    async def read(self, work: Callable[[Tx], T]) -> T: ...

    async def write(self, work: Callable[[Tx], T]) -> T: ...


class ImageStreams:
    """Handlers for `/image/v2/images/{id}/file` and `/stage`."""

    def __init__(self, live: Streaming, stores: Stores, largest_bytes: int, holder: Holder) -> None:
        self.live = live
        self.stores = stores
        self.largest_bytes = largest_bytes
        self.holder = holder.text
        self.uploads = 0

    @property
    def node(self) -> str:
        return self.stores.cache.node if self.stores.cache is not None else ""

    def routes(self) -> list[web.RouteDef]:
        path = "/image/v2/images/{image_id}"
        return [
            web.put(f"{path}/file", self.upload),
            web.get(f"{path}/file", self.download, allow_head=False),
            web.put(f"{path}/stage", self.stage),
        ]

    # -- out -------------------------------------------------------------------------------------------------------

    async def download(self, request: web.Request) -> web.StreamResponse:
        ctx = await self.live.identify(request)
        image_id = request.match_info["image_id"]
        found = await self.live.read(lambda tx: service.download(ctx, tx, image_id, self.node))
        if found is None:
            return web.Response(status=204, headers={"X-Openstack-Request-Id": ctx.request_id})
        headers = {"X-Openstack-Request-Id": ctx.request_id}
        copy = await self.cached(found, ctx.request_id)
        if copy is not None or not found.url:
            return await self.send(request, found, headers, copy)
        pieces = WebReader(self.stores.allowed_hosts, self.largest_bytes).read(found.url)
        return await self._relay(request, found, pieces, headers)

    async def cached(self, found: Download, request_id: str) -> Path | None:
        """The copy in the cache, if there is one. What is far away will have one for the next reader."""
        cache = self.stores.cache
        if cache is None or not (found.is_cached or found.url):
            return None
        await self.live.write(lambda tx: service.was_read(tx, found, request_id))
        path = FileStore(cache.directory).path(found.image_id)
        return path if found.is_cached and path.is_file() else None

    async def _relay(
        self,
        request: web.Request,
        found: Download,
        pieces: Iterator[bytes],
        headers: dict[str, str],
        part: Part | None = None,
    ) -> web.StreamResponse:
        """Bytes that are somewhere else, passed on as they come. `part`: how much is coming, where that is known."""
        try:
            piece = await self._in_thread(next, pieces, b"")
        except StoreFault as error:
            raise Unavailable(f"The data of image {found.image_id} cannot be read: {error}") from None
        response = web.StreamResponse(headers={**headers, "Content-Type": BYTES})
        if part is not None:
            response.set_status(206 if part.is_partial else 200)
            response.headers["Accept-Ranges"] = "bytes"
            response.content_length = part.length
            if part.is_partial:
                response.headers["Content-Range"] = part.content_range
        await response.prepare(request)
        while piece:
            await response.write(piece)
            piece = await self._in_thread(next, pieces, b"")
        await response.write_eof()
        return response

    async def send(
        self, request: web.Request, found: Download, headers: dict[str, str], copy: Path | None = None
    ) -> web.StreamResponse:
        """The image or its copy, or the range of it that was asked for; files by sendfile."""
        if found.md5:
            headers = {**headers, "Content-MD5": found.md5}
        named = self.stores.find(found.store)
        store = open_store(named.driver, named.directory) if named is not None else None
        path = copy or (store.path(found.image_id) if isinstance(store, HasFiles) else None)
        if path is not None and path.is_file():
            return web.FileResponse(path, chunk_size=SEND_BYTES, headers={**headers, "Content-Type": BYTES})
        size = None if store is None else await self._in_thread(store.size, found.image_id)
        if store is None or size is None:
            raise NotFound(f"The data of image {found.image_id} is not in store {found.store}.")
        part = part_of(request.headers.get("Range", ""), size)
        if part is None:
            return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
        pieces = store.read(found.image_id, part.start, part.length)
        return await self._relay(request, found, pieces, headers, part)

    # -- in --------------------------------------------------------------------------------------------------------

    async def upload(self, request: web.Request) -> web.StreamResponse:
        store = self.stores.wanted(request.headers.get("X-Image-Meta-Store"))
        ctx, transfer = await self._begin(request, partial(service.begin, store=store.id, holder=self.holder))
        await self._fill(request, ctx, transfer, open_store(store.driver, store.directory), self._keep)
        return web.Response(status=204, headers={"X-Openstack-Request-Id": ctx.request_id})

    async def stage(self, request: web.Request) -> web.StreamResponse:
        begin = partial(service.begin, store=self.stores.default.id, stage=True, holder=self.holder)
        ctx, transfer = await self._begin(request, begin)
        await self._fill(request, ctx, transfer, FileStore(self.stores.staging), self._keep_staged)
        return web.Response(status=204, headers={"X-Openstack-Request-Id": ctx.request_id})

    async def receive(
        self,
        request: web.Request,
        image_id: str,
        *,
        expected: Callable[[Tx], bool],
        arrived: Callable[[Tx], None],
    ) -> None:
        """An image from a host. `expected` allows it, `arrived` is told in the transaction that makes it active."""
        ctx = internal(request.headers.get("X-Openstack-Request-Id") or ids.request_id())
        store = self.stores.default
        if self.uploads >= MOST_UPLOADS:
            raise Unavailable("Too many uploads are under way; try again later.")

        def begin(tx: Tx) -> Transfer | None:  # what `expected` writes must stay
            is_expected = expected(tx)
            return service.begin_for_host(ctx, tx, image_id, store.id, self.holder) if is_expected else None

        transfer = await self.live.write(begin)
        if transfer is None:
            raise Gone(f"Nobody waits for image {image_id} from this host.")
        place = open_store(store.driver, store.directory)
        await self._fill(request, ctx, transfer, place, partial(self._keep, arrived=arrived))

    async def _begin(self, request: web.Request, begin: Callable[..., Transfer]) -> tuple[Context, Transfer]:
        ctx = await self.live.identify(request)
        if request.content_type != BYTES:
            raise UnsupportedMediaType(f"Unsupported Content-Type {request.content_type}: send {BYTES}.")
        if (request.content_length or 0) > self.largest_bytes:
            raise self._too_large()
        if self.uploads >= MOST_UPLOADS:
            raise Unavailable("Too many uploads are under way; try again later.")
        image_id = request.match_info["image_id"]
        return ctx, await self.live.write(lambda tx: begin(ctx, tx, image_id))

    async def _fill(
        self,
        request: web.Request,
        ctx: Context,
        transfer: Transfer,
        target: ImageStore,
        keep: Callable[[Context, Transfer, Incoming], Awaitable[None]],
    ) -> None:
        """Receive everything and keep it, or leave the image queued and no file."""
        self.uploads += 1
        sink: Incoming | None = None
        try:
            sink = await self._in_thread(
                target.receive, transfer.image_id, transfer.upload_id, transfer.further_digests
            )
            with transfer.steps.timed("image store receive"):
                await self._receive(request, transfer, sink)
            await keep(ctx, transfer, sink)
        except BaseException as error:
            await asyncio.shield(self._give_up(ctx, transfer, target, sink, error))
            if isinstance(error, OSError | asyncio.IncompleteReadError) and not isinstance(error, Fault):
                raise BadRequest("The upload broke off.") from None
            raise
        finally:
            self.uploads -= 1

    async def _receive(self, request: web.Request, transfer: Transfer, sink: Incoming) -> None:
        """One piece is written and hashed in a thread while the next one arrives."""
        total, touched_at = 0, clock.monotonic()
        writing: asyncio.Future[Any] | None = None
        try:
            while chunk := await self._next(request):
                total += len(chunk)
                if total > self.largest_bytes:
                    raise self._too_large()
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(self._in_thread(sink.write, chunk))
                if clock.monotonic() - touched_at > TOUCH_S:
                    touched_at = clock.monotonic()
                    await self._touch(transfer)
        finally:
            if writing is not None:
                await writing
        if request.content_length is not None and request.content_length != total:
            raise BadRequest(f"The upload broke off after {total} of {request.content_length} bytes.")

    async def _next(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(IDLE_S):
                return await request.content.readany()
        except TimeoutError:
            raise BadRequest(f"No data came for {IDLE_S:.0f} s; the upload is given up.") from None
        except (web.RequestPayloadError, ConnectionError):
            raise BadRequest("The upload broke off.") from None

    async def _touch(self, transfer: Transfer) -> None:
        if not await self.live.write(lambda tx: service.touch(tx, transfer)):
            raise Gone(f"Image {transfer.image_id} was deleted while its data came in.")

    async def _keep(
        self, ctx: Context, transfer: Transfer, sink: Incoming, arrived: Callable[[Tx], None] = lambda _: None
    ) -> None:
        try:
            with transfer.steps.timed("image inspect"):
                finding = await self._in_thread(sink.inspect)
        except InspectionFailed as problem:
            raise UnsupportedMediaType(str(problem)) from None
        reason = refusal(finding, transfer.disk_format, transfer.container_format, is_strict=self.stores.is_strict)
        if reason:
            raise UnsupportedMediaType(reason)
        if transfer.seal is not None:
            transfer.seal.check(sink.digests.hex(transfer.seal.signature.digest_name), clock.now())
        with transfer.steps.timed("image store keep"):
            await self._in_thread(sink.keep)
        received = Received(sink.size, finding.virtual_size, sink.md5, sink.sha512)

        def finish(tx: Tx) -> None:
            service.finish(ctx, tx, transfer, received, states=(Status.SAVING,))
            arrived(tx)

        await self.live.write(finish)

    async def _keep_staged(self, ctx: Context, transfer: Transfer, sink: Incoming) -> None:
        with transfer.steps.timed("image store keep"):
            await self._in_thread(sink.keep)
        await self.live.write(lambda tx: service.finish_stage(ctx, tx, transfer, sink.size))

    async def _give_up(
        self, ctx: Context, transfer: Transfer, target: ImageStore, sink: Incoming | None, error: BaseException
    ) -> None:
        """Undo. What fails here is done later by the loop, which finds the file and the dead transfer. The row is asked
        first: a database that gave no answer may have made the image active all the same."""
        reason = error.message if isinstance(error, Fault) else repr(error)
        try:
            if sink is not None:
                await self._in_thread(sink.discard)
            if await self.live.write(lambda tx: service.give_up(ctx, tx, transfer, reason)):
                await self._in_thread(target.delete, transfer.image_id)
        except Exception as second:  # noqa: BLE001 the first error is what the client must hear
            logger("image").error("upload.undo_failed", image_id=transfer.image_id, error=repr(second))
        logger("image").info("upload.given_up", image_id=transfer.image_id, request_id=ctx.request_id, reason=reason)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The image is larger than the {self.largest_bytes} bytes that this cloud allows.")

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.live.disk, function, *arguments)
