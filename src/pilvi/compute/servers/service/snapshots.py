"""Images of servers: the host makes them while the server goes on, and sends them to the image service."""

from typing import Final

from pilvi.compute.instance_actions import service as actions
from pilvi.compute.quotas import service as quotas
from pilvi.compute.servers import policy, store
from pilvi.compute.servers.model import Server, Task, cannot, check_snapshot
from pilvi.compute.servers.service.lists import get
from pilvi.image import facade as image
from pilvi.kernel import clock, hosts, work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Conflict, Forbidden

NOT_INHERITED: Final = ("os_", "img_signature", "signature_", "stores", "direct_url", "locations")
"""Beginnings of properties that are true of one file and not of a disk that was changed since."""


def create_image(ctx: Context, tx: Tx, id: str, name: str, metadata: dict[str, str]) -> str:
    """Ask for an image of the server's root disk. Its id; it is queued until the host has sent its bytes."""
    server = get(ctx, tx, id, policy.CREATE_IMAGE)
    check_snapshot(server)
    if server.host is None:
        raise cannot(server, "createImage", "a state in which it is on no host")
    most = quotas.limits_of(tx, ctx.project_id)["metadata_items"]
    if 0 <= most < len(metadata):
        raise Forbidden(f"Maximum number of metadata items exceeds {most}")
    inherited = {k: str(v) for k, v in server.image["properties"].items() if not k.startswith(NOT_INHERITED)}
    ours = {
        "image_type": "snapshot", "image_state": "available", "image_location": "snapshot", "instance_uuid": server.id,
        "base_image_ref": server.image_id, "user_id": ctx.user_id, "owner_id": ctx.project_id,
    }  # fmt: skip
    image_id = image.create_snapshot(
        ctx, tx, name=name, min_disk_gib=server.flavor["disk"], properties=inherited | ours | metadata
    )
    changes = {
        "task_state": Task.IMAGE_SNAPSHOT, "task_since": clock.now(), "snapshot_image_id": image_id,
        "request_id": ctx.request_id, "updated_at": clock.timestamp(),
    }  # fmt: skip
    if not store.update(tx, id, changes, generation=server.generation):
        raise Conflict(f"Cannot 'createImage' instance {id}: it was changed at this moment. Look and try again.")
    ctx.about("server", server.id, server.name)
    actions.start(ctx, tx, id, server.project_id, "createImage")
    hosts.changed(tx, server.host)
    work.poke(tx, "server", id, ctx.request_id, after_s=5.0)
    return image_id


def image_begins(tx: Tx, host: str, image_id: str) -> Server | None:
    """The server of which this host sends an image now; None when nobody waits for it (any more)."""
    server = store.making_image(tx, image_id)
    if server is None or server.host != host:
        return None
    if image.find(tx, image_id) is None:  # its owner has deleted it
        image_failed(tx, server)
        return None
    if server.task_state == Task.IMAGE_SNAPSHOT:
        store.update(tx, server.id, {"task_state": Task.IMAGE_UPLOADING})
    return server


def image_arrived(tx: Tx, image_id: str) -> None:
    """In the transaction that makes the image active: the server is free for other tasks."""
    server = store.making_image(tx, image_id)
    if server is not None:
        _end(tx, server, failed=False)


def image_failed(tx: Tx, server: Server) -> None:
    """There will be no image: what was begun of it goes."""
    if server.snapshot_image_id is None:
        return
    image.discard(tx, server.snapshot_image_id, server.request_id)
    _end(tx, server, failed=True)


def _end(tx: Tx, server: Server, *, failed: bool) -> None:
    now = clock.timestamp()
    changes = {"snapshot_image_id": None, "updated_at": now}
    if server.task_state in (
        Task.IMAGE_SNAPSHOT,
        Task.IMAGE_UPLOADING,
    ):  # else it is being deleted, and goes on with that
        changes["task_state"] = None
    store.update(tx, server.id, changes)
    actions.event(
        tx, server.id, server.request_id, "compute_snapshot_instance", start_time=clock.timestamp(server.task_since),
        finish_time=now, failed=failed, host=server.host or "",
    )  # fmt: skip
    if server.host:
        hosts.changed(tx, server.host)
    work.poke(tx, "server", server.id, server.request_id)
