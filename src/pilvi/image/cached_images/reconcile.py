"""Makes the cache's files what its rows say. Takes no events: looks at rows and files. Run by `live`."""

from collections.abc import Iterator
from functools import partial
from typing import Final, TypeVar

from pilvi.image.cached_images import service
from pilvi.image.cached_images.model import Copy, CopyStatus
from pilvi.image.drivers import open_store
from pilvi.image.drivers.file import FileStore
from pilvi.image.drivers.protocol import StoreFault
from pilvi.image.drivers.sandbox import InspectionFailed
from pilvi.image.drivers.web import WebReader
from pilvi.image.images import service as images
from pilvi.image.images.model import Image, Status
from pilvi.image.inspector import refusal
from pilvi.image.stores.model import Cache, Stores
from pilvi.kernel import facts, ids
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.log import logger
from pilvi.kernel.loop import Loop
from pilvi.kernel.steps import Steps

SWEEP_S: Final = 60.0

T = TypeVar("T")


class CacheProblem(Exception):
    """Why an image cannot be cached; for the log."""


def loop(stores: Stores) -> Loop | None:
    cache = stores.cache
    if cache is None:
        return None
    return Loop(service.WORK, partial(reconcile, stores=stores, cache=cache), service.waiting, SWEEP_S)


def reconcile(database: Database, key: str, stores: Stores, cache: Cache) -> None:
    """One image, or the whole directory."""
    if key == service.EVERYTHING:
        tidy(database, cache)
        return
    folder = FileStore(cache.directory)
    copy = database.read(lambda tx: service.find(tx, key))
    image = database.read(lambda tx: images.find(tx, key))
    is_wanted = image is not None and image.status in (Status.ACTIVE, Status.DEACTIVATED)
    if copy is None or image is None or not is_wanted:
        database.write(lambda tx: service.forget(tx, key))
        folder.remove(key)
    elif copy.status == CopyStatus.QUEUED:
        _cache(database, stores, cache, image)


def tidy(database: Database, cache: Cache) -> None:
    """Files without a row go, and rows of this node without a file."""
    folder = FileStore(cache.directory)
    mine = {copy.image_id for copy in database.read(service.copies) if _is_here(copy, cache)}
    for id in set(folder.image_ids()) - mine:
        folder.remove(id)
    for id in mine:
        if folder.size(id) is None:
            database.write(partial(service.forget, image_id=id))


def _is_here(copy: Copy, cache: Cache) -> bool:
    return copy.status == CopyStatus.CACHED and copy.node == cache.node


def _cache(database: Database, stores: Stores, cache: Cache, image: Image) -> None:
    folder, steps = FileStore(cache.directory), Steps()
    try:
        with steps.timed("image cache copy", cache.node):
            size = _copy(image, stores, cache, folder)
    except (CacheProblem, InspectionFailed, StoreFault, OSError) as problem:
        logger("image").warning("cache.given_up", image_id=image.id, reason=str(problem))
        database.write(lambda tx: _tell(tx, image, steps, service.forget(tx, image.id)))
        return
    if not database.write(
        lambda tx: _tell(tx, image, steps, service.keep(tx, image.id, cache.node, size, cache.limit_bytes))
    ):
        folder.remove(image.id)


def _tell(tx: Tx, image: Image, steps: Steps, done: T) -> T:
    """The copy is an event of whoever wished for it."""
    facts.tell(tx, facts.actor_of(tx).ctx, steps, ("image", image.id, image.name or ""), image.owner or "")
    return done


def _copy(image: Image, stores: Stores, cache: Cache, folder: FileStore) -> int:
    """Write the file; it has its name only when it is whole and what the image says."""
    algorithm = image.os_hash_algo or "sha512"
    sink = folder.receive(image.id, ids.hexid(), [algorithm])
    try:
        for piece in _source(image, stores, cache):
            sink.write(piece)
            if sink.size > cache.limit_bytes:
                raise CacheProblem(f"it is larger than the whole cache, {cache.limit_bytes} bytes")
        if image.os_hash_value not in (None, sink.digests.hex(algorithm)):
            raise CacheProblem("the bytes are not those that the image was registered with")
        formats = image.disk_format or "", image.container_format or ""
        reason = refusal(sink.inspect(), *formats, is_strict=stores.is_strict)
        if reason:
            raise CacheProblem(reason)
        sink.keep()
        return sink.size
    finally:
        sink.discard()


def _source(image: Image, stores: Stores, cache: Cache) -> Iterator[bytes]:
    for place in image.locations:
        if "url" in place:
            return WebReader(stores.allowed_hosts, cache.limit_bytes).read(place["url"])
        store = stores.find(place["store"])
        if store is not None:
            return open_store(store.driver, store.directory).read(image.id)
    raise CacheProblem("its bytes are in no place that can be read")
