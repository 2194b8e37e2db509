"""What can be done with the cache: rows say what is wanted and there, the loop moves the bytes."""

from pilvi.image.cached_images import policy, store
from pilvi.image.cached_images.model import Copy, CopyStatus, too_many
from pilvi.image.images.model import Image, Status
from pilvi.kernel import clock, work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound, TooLarge

WORK = "image_cache"
EVERYTHING = "*"
"""The key under which the loop looks at the whole directory."""
QUEUE_LIMIT = 1000


# ---- for people --------------------------------------------------------------------------------------------------


def everything(ctx: Context, tx: Tx) -> list[Copy]:
    policy.LIST.check(ctx)
    return store.everything(tx)


def queue(ctx: Context, tx: Tx, image: Image) -> None:
    """Have a copy made, soon."""
    ctx.about("image", image.id, image.name or "")
    policy.QUEUE.check(ctx)
    if image.status != Status.ACTIVE:
        raise BadRequest("Only images with status active can be targeted for queueing")
    if not wish(tx, image.id, ctx.request_id):
        raise TooLarge(f"{QUEUE_LIMIT} images wait to be cached; try again later.")


def remove(ctx: Context, tx: Tx, image_id: str, *, is_known: bool) -> None:
    """Take one image out of the cache and its queue."""
    ctx.about("image", image_id)
    policy.DELETE.check(ctx)
    if not forget(tx, image_id) and not is_known:
        raise NotFound(f"Image {image_id} not found.")


def clear(ctx: Context, tx: Tx, statuses: frozenset[str]) -> None:
    policy.DELETE.check(ctx)
    for copy in store.everything(tx):
        if copy.status in statuses:
            forget(tx, copy.image_id)


def clean(ctx: Context, tx: Tx) -> None:
    """Have the directory compared with the rows, soon."""
    policy.CLEAN.check(ctx)
    work.poke(tx, WORK, EVERYTHING, ctx.request_id)


def prune(ctx: Context, tx: Tx, limit_bytes: int) -> list[Copy]:
    """Forget what is too much; says what that was."""
    policy.PRUNE.check(ctx)
    return _prune(tx, limit_bytes)


def nodes(ctx: Context, tx: Tx, image: Image) -> list[str]:
    """The hosts that have a copy."""
    policy.LIST_NODES.check(ctx)
    found = store.find(tx, image.id)
    return [found.node] if found is not None and found.status == CopyStatus.CACHED else []


# ---- for the byte path and the loop ------------------------------------------------------------------------------


def find(tx: Tx, image_id: str) -> Copy | None:
    return store.find(tx, image_id)


def is_cached(tx: Tx, image_id: str, node: str) -> bool:
    found = store.find(tx, image_id)
    return found is not None and found.status == CopyStatus.CACHED and found.node == node


def wish(tx: Tx, image_id: str, request_id: str) -> bool:
    """Queue a copy unless there is one already; False when too many wait."""
    found = store.find(tx, image_id)
    if found is None:
        if store.count(tx, CopyStatus.QUEUED) >= QUEUE_LIMIT:
            return False
        now = clock.now()
        store.add(tx, Copy(image_id, "", CopyStatus.QUEUED, 0, 0, now, now, now))
    work.poke(tx, WORK, image_id, request_id)
    return True


def hit(tx: Tx, image_id: str) -> None:
    store.hit(tx, image_id, clock.now())


def keep(tx: Tx, image_id: str, node: str, size: int, limit_bytes: int) -> bool:
    """The copy is there now. False when nobody wants it any more. Others may have to go for it."""
    now = clock.now()
    values = {"status": CopyStatus.CACHED, "node": node, "size": size, "last_accessed": now, "last_modified": now}
    kept = store.update(tx, image_id, **values) == 1
    _prune(tx, limit_bytes)
    return kept and store.find(tx, image_id) is not None


def _prune(tx: Tx, limit_bytes: int) -> list[Copy]:
    gone = list(too_many((c for c in store.everything(tx) if c.status == CopyStatus.CACHED), limit_bytes))
    for copy in gone:
        forget(tx, copy.image_id)
    return gone


def forget(tx: Tx, image_id: str) -> bool:
    """The row goes now, the file a moment later, by the loop."""
    if not store.delete(tx, image_id):
        return False
    work.poke(tx, WORK, image_id)
    return True


def copies(tx: Tx) -> list[Copy]:
    """For the loop."""
    return store.everything(tx)


def waiting(tx: Tx) -> list[str]:
    """What the loop should look at although nobody poked it."""
    return [EVERYTHING, *(copy.image_id for copy in store.everything(tx) if copy.status == CopyStatus.QUEUED)]
