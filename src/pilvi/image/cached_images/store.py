"""The only SQL for cached images."""

from typing import Any

import sqlalchemy as sa

from pilvi.image.cached_images.model import Copy
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.history import part

copies = sa.Table(
    "image_cached_images",
    metadata,
    sa.Column("image_id", sa.String(36), primary_key=True),
    sa.Column("node", sa.String(64), nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("hits", sa.BigInteger, nullable=False),
    sa.Column("queued_at", sa.Float, nullable=False),
    sa.Column("last_accessed", sa.Float, nullable=False),
    sa.Column("last_modified", sa.Float, nullable=False),
)
part(copies, "image", "image_id", "cached copy", "node status")


def add(tx: Tx, copy: Copy) -> None:
    tx.insert(copies, copy)


def find(tx: Tx, image_id: str) -> Copy | None:
    return tx.first(sa.select(copies).where(copies.c.image_id == image_id), Copy)


def everything(tx: Tx) -> list[Copy]:
    return tx.all(sa.select(copies).order_by(copies.c.queued_at, copies.c.image_id), Copy)


def count(tx: Tx, status: str) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(copies).where(copies.c.status == status)) or 0)


def update(tx: Tx, image_id: str, **values: Any) -> int:
    return tx.execute(copies.update().where(copies.c.image_id == image_id).values(**values))


def hit(tx: Tx, image_id: str, now: float) -> None:
    tx.execute(
        copies.update().where(copies.c.image_id == image_id).values(hits=copies.c.hits + 1, last_accessed=now)
    )  # fmt: skip


def delete(tx: Tx, image_id: str) -> int:
    return tx.execute(copies.delete().where(copies.c.image_id == image_id))
