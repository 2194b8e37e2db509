"""Sharing images. The image is found by who calls: its own service."""

from pilvi.image.image_members import policy, store
from pilvi.image.image_members.model import MEMBERS_LIMIT, Member
from pilvi.image.images.model import Image
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden, NotFound, TooLarge


def is_member(tx: Tx, image_id: str, project_id: str) -> bool:
    """Offered is enough to see the image by its id."""
    return bool(project_id) and store.find(tx, image_id, project_id) is not None


def images_shared_with(tx: Tx, project_id: str, status: str | None) -> list[str]:
    return store.image_ids(tx, project_id, status) if project_id else []


def forget(tx: Tx, image_id: str) -> None:
    store.delete_of_image(tx, image_id)


def _check_shared(image: Image) -> None:
    if image.visibility != "shared":
        raise Forbidden(f"Only shared images have members; this one is {image.visibility}.")


def _missing(image: Image, member_id: str) -> NotFound:
    return NotFound(f"{member_id} not found in the member list of the image {image.id}.")


def _is_owner(ctx: Context, image: Image) -> bool:
    return ctx.is_admin or image.owner == ctx.project_id


def add(ctx: Context, tx: Tx, image: Image, member_id: str) -> Member:
    policy.ADD.check(ctx, project_id=image.owner)
    _check_shared(image)
    ctx.about("image", image.id, image.name or "")
    tx.lock("image members", image.id)
    count = store.count(tx, image.id)
    if count >= MEMBERS_LIMIT:
        raise TooLarge(f"The limit has been exceeded on the number of allowed image members for this image. "
                       f"Attempted: {count + 1}, Maximum: {MEMBERS_LIMIT}")  # fmt: skip
    now = clock.timestamp()
    member = Member(image.id, member_id, "pending", now, now)
    store.add(tx, member)
    return member


def list_(ctx: Context, tx: Tx, image: Image) -> list[Member]:
    """All members for the owner, its own membership for a member."""
    policy.LIST.check(ctx, project_id=image.owner, visibility=image.visibility, is_member=True)
    _check_shared(image)
    found = store.of_image(tx, image.id)
    return found if _is_owner(ctx, image) else [m for m in found if m.member_id == ctx.project_id]


def show(ctx: Context, tx: Tx, image: Image, member_id: str) -> Member:
    policy.GET.check(ctx, project_id=image.owner, visibility=image.visibility, is_member=True)
    return _get(ctx, tx, image, member_id)


def _get(ctx: Context, tx: Tx, image: Image, member_id: str) -> Member:
    _check_shared(image)
    member = store.find(tx, image.id, member_id)
    if member is None or not (_is_owner(ctx, image) or member_id == ctx.project_id):
        raise _missing(image, member_id)
    return member


def answer(ctx: Context, tx: Tx, image: Image, member_id: str, status: str) -> Member:
    """Accept or reject an offer."""
    ctx.about("image", image.id, image.name or "")
    member = _get(ctx, tx, image, member_id)
    policy.MODIFY.check(ctx, project_id=image.owner, member_id=member_id)
    now = clock.timestamp()
    store.set_status(tx, member, status, now)
    return Member(image.id, member_id, status, member.created_at, now)


def remove(ctx: Context, tx: Tx, image: Image, member_id: str) -> None:
    ctx.about("image", image.id, image.name or "")
    policy.DELETE.check(ctx, project_id=image.owner)
    _get(ctx, tx, image, member_id)
    store.delete(tx, image.id, member_id)
