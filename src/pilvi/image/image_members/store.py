"""The only SQL for members of images."""

import sqlalchemy as sa

from pilvi.image.image_members.model import Member
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import part

members = sa.Table(
    "image_members",
    metadata,
    sa.Column("image_id", sa.String(36), primary_key=True),
    sa.Column("member_id", sa.String(255), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Index("image_members_by_member", "member_id", "status"),
)
part(members, "image", "image_id", "member {member_id}", "status")

SHARED_LIMIT = 10_000
"""Images shared with one project that its lists take into account."""


def add(tx: Tx, member: Member) -> None:
    taken = Conflict(f"Image {member.image_id} is shared with {member.member_id} already.")
    tx.insert(members, member, duplicate=taken)


def find(tx: Tx, image_id: str, member_id: str) -> Member | None:
    chosen = sa.select(members).where(members.c.image_id == image_id, members.c.member_id == member_id)
    return tx.first(chosen, Member)


def of_image(tx: Tx, image_id: str) -> list[Member]:
    return tx.all(sa.select(members).where(members.c.image_id == image_id).order_by(members.c.member_id), Member)


def count(tx: Tx, image_id: str) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(members).where(members.c.image_id == image_id)))


def image_ids(tx: Tx, member_id: str, status: str | None) -> list[str]:
    chosen = sa.select(members.c.image_id).where(members.c.member_id == member_id)
    if status is not None:
        chosen = chosen.where(members.c.status == status)
    return tx.scalars(chosen.limit(SHARED_LIMIT))


def set_status(tx: Tx, member: Member, status: str, updated_at: str) -> None:
    mine = (members.c.image_id == member.image_id, members.c.member_id == member.member_id)
    tx.execute(members.update().where(*mine).values(status=status, updated_at=updated_at))


def delete(tx: Tx, image_id: str, member_id: str) -> int:
    return tx.execute(members.delete().where(members.c.image_id == image_id, members.c.member_id == member_id))


def delete_of_image(tx: Tx, image_id: str) -> None:
    tx.execute(members.delete().where(members.c.image_id == image_id))
