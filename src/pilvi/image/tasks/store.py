"""The only SQL for tasks."""

from typing import Any

import sqlalchemy as sa

from pilvi.image.tasks.model import Task
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.history import track

tasks = sa.Table(
    "image_tasks",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("owner", sa.String(255), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("image_id", sa.String(36), nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("input", Json, nullable=False),
    sa.Column("result", Json, nullable=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Column("expires_at", sa.String(27), nullable=True),
    sa.Index("image_tasks_by_image", "image_id", "created_at"),
    sa.Index("image_tasks_by_status", "status"),
    sa.Index("image_tasks_by_end", "expires_at"),
)
track(tasks, "task", "type status owner user_id image_id message", name="id", project="owner")

ITEMS_LIMIT = 1000


def add(tx: Tx, task: Task) -> None:
    tx.insert(tasks, task)


def find(tx: Tx, id: str) -> Task | None:
    return tx.first(sa.select(tasks).where(tasks.c.id == id), Task)


def of_image(tx: Tx, image_id: str) -> list[Task]:
    chosen = sa.select(tasks).where(tasks.c.image_id == image_id).order_by(tasks.c.created_at.desc())
    return tx.all(chosen.limit(ITEMS_LIMIT), Task)


def open_ids(tx: Tx) -> list[str]:
    chosen = sa.select(tasks.c.id).where(tasks.c.status.in_(["pending", "processing"]))
    return tx.scalars(chosen.limit(ITEMS_LIMIT))


def update(tx: Tx, id: str, **values: Any) -> int:
    return tx.execute(tasks.update().where(tasks.c.id == id).values(**values))


def drop_expired(tx: Tx, now: str) -> int:
    return tx.execute(tasks.delete().where(tasks.c.expires_at.is_not(None), tasks.c.expires_at < now))


def list_(tx: Tx, *, equal: dict[str, str], marker: Task | None, ascending: bool, limit: int) -> list[Task]:
    """By creation; one more than the limit."""
    statement = sa.select(tasks).where(*(tasks.c[name] == value for name, value in equal.items()))
    if marker is not None:
        at, id = tasks.c.created_at, tasks.c.id
        further = at > marker.created_at if ascending else at < marker.created_at
        same = sa.and_(at == marker.created_at, id > marker.id if ascending else id < marker.id)
        statement = statement.where(sa.or_(further, same))
    order = (
        (tasks.c.created_at.asc(), tasks.c.id.asc()) if ascending else (tasks.c.created_at.desc(), tasks.c.id.desc())
    )
    return tx.all(statement.order_by(*order).limit(limit + 1), Task)
