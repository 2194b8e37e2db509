"""What can be done with images: no HTTP, no SQL."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pilvi.image.cached_images import service as cached_images
from pilvi.image.image_locations import model as locations
from pilvi.image.image_members import service as members
from pilvi.image.images import policy, store
from pilvi.image.images.model import WRITABLE, Change, Image, Status, Visibility, apply, check
from pilvi.image.property_protections.model import OPEN, Protections
from pilvi.image.quotas import model as quotas_model
from pilvi.image.quotas import service as quotas
from pilvi.image.stores.model import Stores
from pilvi.kernel import clock, ids, work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Conflict, Forbidden, NotFound
from pilvi.kernel.policy import Rule

DATA_WORK = "image_data"
"""The loop that removes bytes nobody needs any more."""


def missing(id: str) -> NotFound:
    return NotFound(f"No image found with ID {id}")


# ---- reading -----------------------------------------------------------------------------------------------------


def find(tx: Tx, id: str) -> Image | None:
    """No rights are asked."""
    return store.find(tx, id)


def get(ctx: Context, tx: Tx, id: str, rule: Rule = policy.GET) -> Image:
    """An image that the caller may see, for this rule. Others do not exist for the caller."""
    image = store.find(tx, id)
    if image is None:
        raise missing(id)
    target = target_of(ctx, tx, image)
    if not policy.reader_of_usable(ctx, target):
        policy.GET.check(ctx, missing(id), **target)
        raise missing(id)
    rule.check(ctx, **target)
    return image


def get_for(ctx: Context, tx: Tx, id: str, rule: Rule) -> Image:
    """An image for a rule that services have too, who see every image. For others, what they cannot see is missing."""
    image = store.find(tx, id)
    if image is None:
        raise missing(id)
    target = target_of(ctx, tx, image)
    is_visible = "service" in ctx.roles or policy.reader_of_usable(ctx, target)
    rule.check(ctx, None if is_visible else missing(id), **target)
    return image


def target_of(ctx: Context, tx: Tx, image: Image) -> dict[str, Any]:
    """What rules about this image look at."""
    is_member = (
        image.visibility == Visibility.SHARED
        and image.owner != ctx.project_id
        and not ctx.is_admin
        and members.is_member(tx, image.id, ctx.project_id)
    )
    return {"project_id": image.owner, "visibility": image.visibility, "is_member": is_member}


# ---- changing ----------------------------------------------------------------------------------------------------


def create(ctx: Context, tx: Tx, given: dict[str, Any], protections: Protections = OPEN) -> Image:
    owner = given.get("owner") or ctx.project_id
    policy.ADD.check(ctx, project_id=owner)
    visibility = given.get("visibility", Visibility.SHARED)
    _check_visibility(ctx, visibility, owner)
    now = clock.timestamp()
    image = Image(
        id=str(given.get("id") or ids.uuid()).lower(), name=given.get("name"), status=Status.QUEUED,
        visibility=visibility, protected=given.get("protected", False), os_hidden=given.get("os_hidden", False),
        owner=owner, disk_format=given.get("disk_format"), container_format=given.get("container_format"), size=None,
        virtual_size=None, min_disk=given.get("min_disk", 0), min_ram=given.get("min_ram", 0), checksum=None,
        os_hash_algo=None, os_hash_value=None, created_at=now, updated_at=now,
        tags=list(dict.fromkeys(given.get("tags", []))),
        properties={k: v for k, v in given.items() if k not in WRITABLE and k != "id"},
    )  # fmt: skip
    check(image)
    protections.check(ctx, {}, image.properties)
    enforce(tx, owner, {quotas_model.COUNT: 1})
    store.add(tx, image)
    ctx.about("image", image.id, image.name or "")
    return image


def enforce(tx: Tx, owner: str | None, more: Mapping[str, int]) -> None:
    """The limits of a project, counted from its images under a lock."""
    if owner:
        tx.lock("image quota", owner)
        quotas.enforce(tx, owner, store.usage(tx, owner), more)


def usage(ctx: Context, tx: Tx) -> dict[str, dict[str, int]]:
    """What the caller's project has, and its limits."""
    return quotas.shown(tx, ctx.project_id, store.usage(tx, ctx.project_id))


def _check_visibility(ctx: Context, visibility: str, owner: str | None) -> None:
    if visibility == Visibility.PUBLIC:
        policy.PUBLICIZE.check(ctx, project_id=owner)
    if visibility == Visibility.COMMUNITY:
        policy.COMMUNITIZE.check(ctx, project_id=owner)


def update(
    ctx: Context, tx: Tx, id: str, changes: list[Change], stores: Stores, protections: Protections = OPEN
) -> Image:  # fmt: skip
    image = get(ctx, tx, id, policy.MODIFY)
    changed = image
    for change in changes:
        changed = apply(changed, [change]) if change.name != "locations" else _relocate(ctx, changed, change, stores)
    check(changed)
    protections.check(ctx, image.properties, changed.properties)
    if changed.visibility != image.visibility:
        _check_visibility(ctx, changed.visibility, image.owner)
    if changed.owner != image.owner and not ctx.is_admin:
        raise Forbidden("You are not permitted to modify owner of this image: only an administrator is.")
    ctx.about("image", image.id, changed.name or "")
    if changed == image:
        return image
    return save(tx, replace(changed, updated_at=clock.timestamp()))


def _relocate(ctx: Context, image: Image, change: Change, stores: Stores) -> Image:
    if not stores.shows_locations:
        raise Forbidden("It's not allowed to change locations: this cloud does not show them.")
    rule = policy.DELETE_LOCATION if change.op == "remove" else policy.SET_LOCATION
    rule.check(ctx, project_id=image.owner)
    return locations.apply(image, change, stores.allowed_hosts)


def save(tx: Tx, image: Image) -> Image:
    values = asdict(image)
    store.update(tx, values.pop("id"), **values)
    return image


def put_properties(tx: Tx, id: str, properties: dict[str, str]) -> None:
    """Set properties for the cloud itself, the reserved ones included."""
    image = store.find(tx, id)
    if image is not None:
        store.update(tx, id, properties=image.properties | properties, updated_at=clock.timestamp())


def delete(ctx: Context, tx: Tx, id: str) -> None:
    """The row goes now, the bytes a moment later, by the loop."""
    image = get(ctx, tx, id, policy.DELETE)
    ctx.about("image", image.id, image.name or "")
    if image.protected:
        raise Forbidden(f"Image {id} is protected and cannot be deleted.")
    _drop(tx, id, ctx.request_id)


def discard(tx: Tx, id: str, request_id: str) -> None:
    """For the cloud itself: an image whose bytes will never come. One that has them stays."""
    image = store.find(tx, id)
    if image is not None and image.status in (Status.QUEUED, Status.SAVING):
        _drop(tx, id, request_id)


def _drop(tx: Tx, id: str, request_id: str) -> None:
    members.forget(tx, id)
    cached_images.forget(tx, id)
    store.delete(tx, id)
    tidy_soon(tx, id, request_id)


def tidy_soon(tx: Tx, id: str, request_id: str) -> None:
    """The loop makes the files of this image what its row says."""
    work.poke(tx, DATA_WORK, id, request_id)


def remove_from_store(ctx: Context, tx: Tx, id: str, store_id: str) -> None:
    """The row forgets the store now, the bytes go a moment later, by the loop."""
    image = get(ctx, tx, id, policy.DELETE_LOCATION)
    ctx.about("image", image.id, image.name or "")
    if image.status != Status.ACTIVE:
        raise Conflict(f"It's not allowed to remove image data from store if image status is not 'active': {id}")
    kept = [place for place in image.locations if place["store"] != store_id]
    if len(kept) == len(image.locations):
        raise NotFound(f"Image {id} is not stored on store {store_id}.")
    if not kept:
        raise Forbidden(f"Cannot delete image data from the only store containing it. Consider deleting image {id}.")
    save(tx, replace(image, locations=kept, updated_at=clock.timestamp()))
    tidy_soon(tx, id, ctx.request_id)


def deactivate(ctx: Context, tx: Tx, id: str) -> None:
    image = get(ctx, tx, id, policy.DEACTIVATE)
    _switch(ctx, tx, image, Status.ACTIVE, Status.DEACTIVATED)


def reactivate(ctx: Context, tx: Tx, id: str) -> None:
    image = get(ctx, tx, id, policy.REACTIVATE)
    _switch(ctx, tx, image, Status.DEACTIVATED, Status.ACTIVE)


def _switch(ctx: Context, tx: Tx, image: Image, source: Status, target: Status) -> None:
    ctx.about("image", image.id, image.name or "")
    if image.status == target:
        return
    if image.status != source:
        raise Forbidden(f"Image status transition from {image.status} to {target} is not allowed")
    store.update(tx, image.id, status=target, updated_at=clock.timestamp())


def add_tag(ctx: Context, tx: Tx, id: str, tag: str) -> None:
    image = get(ctx, tx, id, policy.MODIFY)
    ctx.about("image", image.id, image.name or "")
    if tag not in image.tags:
        changed = replace(image, tags=[*image.tags, tag], updated_at=clock.timestamp())
        check(changed)
        save(tx, changed)


def delete_tag(ctx: Context, tx: Tx, id: str, tag: str) -> None:
    image = get(ctx, tx, id, policy.MODIFY)
    ctx.about("image", image.id, image.name or "")
    if tag not in image.tags:
        raise NotFound(f"Tag {tag} could not be found: the image has {', '.join(image.tags) or 'no tags'}.")
    save(tx, replace(image, tags=[t for t in image.tags if t != tag], updated_at=clock.timestamp()))
