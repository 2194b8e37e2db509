"""Bytes of images, as far as the database knows of them. The bytes themselves are moved by `stream.py`."""

from dataclasses import replace
from typing import Any

from pilvi.image.cached_images import service as cached_images
from pilvi.image.image_data.model import LEASE_S, Download, Received, Transfer
from pilvi.image.images import policy
from pilvi.image.images import service as images
from pilvi.image.images.model import Image, Status
from pilvi.image.quotas import model as quotas
from pilvi.image.signatures import service as signatures
from pilvi.kernel import clock, facts, ids
from pilvi.kernel.context import Context, internal
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, Forbidden, Gone
from pilvi.kernel.steps import Steps


def begin(
    ctx: Context, tx: Tx, image_id: str, *, store: str, stage: bool = False, holder: str = ""
) -> Transfer:  # fmt: skip
    """The right to fill a queued image."""
    image = images.get(ctx, tx, image_id, policy.UPLOAD)
    target = Status.UPLOADING if stage else Status.SAVING
    if image.status != Status.QUEUED:
        raise Conflict(f"Image status transition from {image.status} to {target} is not allowed")
    transfer = transfer_of(image, store, is_staged=stage)
    if not stage:
        seal = signatures.seal_of(tx, image, user_id=ctx.user_id, project_id=ctx.project_id)
        transfer = replace(transfer, seal=seal)
    images.enforce(tx, image.owner, {quotas.UPLOADING: 1, quotas.STAGED if stage else quotas.SIZE: 0})
    return _begun(ctx, tx, image, target, transfer, holder)


def begin_for_host(ctx: Context, tx: Tx, image_id: str, store: str, holder: str) -> Transfer:
    """The same for a host, whose right was checked by who calls. Raises Gone for an image that is not to be filled."""
    image = images.find(tx, image_id)
    if image is None or image.status not in (Status.QUEUED, Status.SAVING):
        raise Gone(f"Image {image_id} is not to be filled any more.")
    if image.status == Status.SAVING:
        raise Conflict(f"Image {image_id} is being filled.")
    return _begun(ctx, tx, image, Status.SAVING, transfer_of(image, store), holder)


def _begun(ctx: Context, tx: Tx, image: Image, target: Status, transfer: Transfer, holder: str) -> Transfer:
    images.begin_transfer(tx, image, target, transfer.upload_id, clock.now() + LEASE_S, holder)
    _record(ctx, tx, image, "image data begins")
    return transfer


def transfer_of(image: Image, store: str, *, is_staged: bool = False) -> Transfer:
    """A new transfer for this image, which must say what it will hold."""
    missing = [name for name in ("disk_format", "container_format") if getattr(image, name) is None]
    if missing or image.disk_format is None or image.container_format is None:
        raise BadRequest(f"Properties {', '.join(missing)} must be set prior to saving data.")
    return Transfer(image.id, ids.hexid(), image.disk_format, image.container_format, store, is_staged)


def _record(ctx: Context, tx: Tx, image: Image, step: str, outcome: str = "done", **detail: Any) -> None:
    facts.record(
        tx, ctx, step, resource=("image", image.id, image.name or ""), project_id=image.owner or "", outcome=outcome,
        detail=detail or None,
    )  # fmt: skip


def touch(tx: Tx, transfer: Transfer) -> bool:
    """The transfer lives. False when the image was deleted or taken from it meanwhile."""
    until = clock.now() + LEASE_S
    states = [Status.SAVING, Status.UPLOADING, Status.IMPORTING]
    return images.change_transfer(tx, transfer.image_id, transfer.upload_id, states, busy_until=until)


def finish(
    ctx: Context,
    tx: Tx,
    transfer: Transfer,
    received: Received,
    *,
    states: tuple[Status, ...],
    places: list[dict[str, Any]] | None = None,
) -> None:
    """All bytes are in these places (without a list: in the transfer's store): the image is active from now on."""
    places = places or [{"store": transfer.store}]
    done = images.change_transfer(
        tx, transfer.image_id, transfer.upload_id, list(states), status=Status.ACTIVE, size=received.size,
        virtual_size=received.virtual_size, checksum=received.md5, os_hash_algo=received.algorithm,
        upload_id="", os_hash_value=received.digest, locations=places, updated_at=clock.timestamp(),
    )  # fmt: skip
    image = images.find(tx, transfer.image_id)
    if not done or image is None:
        raise Gone(f"Image {transfer.image_id} was deleted while its data came in; the data is removed.")
    facts.tell(tx, ctx, transfer.steps, ("image", image.id, image.name or ""), image.owner or "")
    _record(ctx, tx, image, "image data kept", size=received.size, digest=received.digest, store=transfer.store)


def finish_stage(ctx: Context, tx: Tx, transfer: Transfer, size: int) -> None:
    """All bytes wait for the import."""
    until = clock.now() + LEASE_S
    if not images.change_transfer(
        tx, transfer.image_id, transfer.upload_id, [Status.UPLOADING], size=size, upload_id="", busy_until=until
    ):
        raise Gone(f"Image {transfer.image_id} was deleted while its data came in; the data is removed.")
    image = images.find(tx, transfer.image_id)
    if image is not None:
        facts.tell(tx, ctx, transfer.steps, ("image", image.id, image.name or ""), image.owner or "")
        _record(ctx, tx, image, "image data staged", size=size)


def give_up(ctx: Context, tx: Tx, transfer: Transfer, reason: str) -> bool:
    """The image is queued again, as if nothing had been sent. Whether what was received is nobody's now: it is not when
    the transfer was finished after all, or another one has taken its place."""
    states = [Status.SAVING, Status.UPLOADING, Status.IMPORTING]
    is_ended = images.change_transfer(
        tx, transfer.image_id, transfer.upload_id, states, status=Status.QUEUED, upload_id="", size=None
    )
    image = images.find(tx, transfer.image_id)
    if is_ended and image is not None:
        facts.tell(tx, ctx, transfer.steps, ("image", image.id, image.name or ""), image.owner or "")
        _record(ctx, tx, image, "image data given up", "failed", reason=reason)
        images.tidy_soon(tx, image.id, ctx.request_id)  # Whoever gives up may die before the files are gone.
    return is_ended or image is None


def download(ctx: Context, tx: Tx, image_id: str, node: str = "") -> Download | None:
    """Where the bytes are for a reader at this node; None while there are none."""
    image = images.get(ctx, tx, image_id, policy.DOWNLOAD)
    if image.status == Status.DEACTIVATED and not ctx.is_admin:
        raise Forbidden("The requested image has been deactivated. Image data download is forbidden.")
    return _download(tx, image, node)


def download_for_host(tx: Tx, image_id: str, node: str = "") -> Download | None:
    """For an agent whose right was checked by who calls."""
    image = images.find(tx, image_id)
    return None if image is None else _download(tx, image, node)


def _download(tx: Tx, image: Image, node: str) -> Download | None:
    if not image.locations:
        return None
    place = image.locations[0]
    is_cached = bool(node) and cached_images.is_cached(tx, image.id, node)
    return Download(image.id, place["store"], image.size or 0, image.checksum or "", place.get("url", ""), is_cached)


def was_read(tx: Tx, found: Download, request_id: str) -> None:
    """Count a read of a copy; have one made of what is far away."""
    if found.is_cached:
        cached_images.hit(tx, found.image_id)
    elif found.url:
        cached_images.wish(tx, found.image_id, request_id)


def removed(tx: Tx, image_id: str, steps: Steps) -> None:
    """The store has given back what an image held: an event of who deleted it, as far as that is known."""
    asked = facts.last_asked(tx, image_id)
    ctx = internal("" if asked is None else asked.request_id)
    name, project_id = ("", "") if asked is None else (asked.resource_name, asked.project_id)
    facts.tell(tx, ctx, steps, ("image", image_id, name), project_id)
