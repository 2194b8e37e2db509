"""/v2/cache, in clouds that have one."""

from typing import Any

from pilvi.image.cached_images import policy, service
from pilvi.image.cached_images.model import Copy, CopyStatus, targets
from pilvi.image.images import service as images
from pilvi.image.imports import service as imports
from pilvi.image.stores.model import Stores
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes


def routes_for(stores: Stores) -> list[Routes]:
    return [] if stores.cache is None else [routes, _pruning(stores.cache.limit_bytes)]


routes = Routes("image", "/cache")


@routes.get(rule=policy.LIST)
def show(ctx: Context, tx: Tx) -> dict[str, Any]:
    found = service.everything(ctx, tx)
    return {
        "cached_images": [_shown(copy) for copy in found if copy.status == CopyStatus.CACHED],
        "queued_images": [copy.image_id for copy in found if copy.status == CopyStatus.QUEUED],
    }


@routes.delete(rule=policy.DELETE)
def clear(ctx: Context, tx: Tx) -> None:
    service.clear(ctx, tx, targets(ctx.header("X-Image-Cache-Clear-Target") or ""))


@routes.post("/clean", rule=policy.CLEAN)
def clean(ctx: Context, tx: Tx) -> Answer:
    service.clean(ctx, tx)
    tx.after_commit(imports.tell)
    return Answer(200)


@routes.get("/nodes/{image_id}", rule=policy.LIST_NODES)
def nodes(ctx: Context, tx: Tx, image_id: str) -> list[str]:
    return service.nodes(ctx, tx, images.get(ctx, tx, image_id))


@routes.put("/{image_id}", rule=policy.QUEUE, status=202)
def queue(ctx: Context, tx: Tx, image_id: str) -> None:
    service.queue(ctx, tx, images.get(ctx, tx, image_id))
    tx.after_commit(imports.tell)


@routes.delete("/{image_id}", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, image_id: str) -> None:
    service.remove(ctx, tx, image_id, is_known=images.find(tx, image_id) is not None)


def _pruning(limit_bytes: int) -> Routes:
    pruning = Routes("image", "/cache")

    @pruning.post("/prune", rule=policy.PRUNE)
    def prune(ctx: Context, tx: Tx) -> dict[str, int]:
        gone = service.prune(ctx, tx, limit_bytes)
        return {"total_files_pruned": len(gone), "total_bytes_pruned": sum(copy.size for copy in gone)}

    return pruning


def _shown(copy: Copy) -> dict[str, Any]:
    return {
        "image_id": copy.image_id, "hits": copy.hits, "last_accessed": copy.last_accessed,
        "last_modified": copy.last_modified, "size": copy.size,
    }  # fmt: skip
