from typing import Any

import sqlalchemy as sa

from pilvi.identity.oauth_consumers.model import Consumer
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

consumers = sa.Table(
    "identity_oauth_consumers",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("encrypted_secret", sa.Text, nullable=False),
    sa.Column("extra", Json, nullable=False),
)
track(consumers, "oauth_consumer", "description extra", name="id", project="", hidden="encrypted_secret")


def add(tx: Tx, consumer: Consumer) -> None:
    tx.insert(consumers, consumer)


def find(tx: Tx, id: str) -> Consumer | None:
    return tx.first(sa.select(consumers).where(consumers.c.id == id), Consumer)


def search(tx: Tx, query: Query) -> Page[Consumer]:
    return page(tx, consumers, Consumer, query, {})


def encrypted_after(tx: Tx, id: str, limit: int) -> list[tuple[str, str]]:
    query = sa.select(consumers.c.id, consumers.c.encrypted_secret).where(consumers.c.id > id)
    rows: list[Any] = tx.all(query.order_by(consumers.c.id).limit(limit))
    return [(row.id, row.encrypted_secret) for row in rows]


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(consumers.update().where(consumers.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(consumers.delete().where(consumers.c.id == id))
