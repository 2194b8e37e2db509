"""The only SQL for keypairs."""

import sqlalchemy as sa

from pilvi.compute.keypairs.model import Keypair
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page, cut, keyset

keypairs = sa.Table(
    "compute_keypairs",
    metadata,
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("id", sa.String(36), nullable=False),
    sa.Column("type", sa.String(8), nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
)
track(keypairs, "keypair", "name user_id type public_key fingerprint created_at", project="")


def add(tx: Tx, keypair: Keypair) -> None:
    tx.insert(keypairs, keypair, duplicate=Conflict(f"Key pair '{keypair.name}' already exists."))


def find(tx: Tx, user_id: str, name: str) -> Keypair | None:
    return tx.first(sa.select(keypairs).where(keypairs.c.user_id == user_id, keypairs.c.name == name), Keypair)


def page(tx: Tx, user_id: str, *, marker: str | None, limit: int | None) -> Page[Keypair]:
    query = sa.select(keypairs).where(keypairs.c.user_id == user_id)
    after = None if marker is None else [marker]
    return cut(tx.all(keyset(query, [(keypairs.c.name, False)], after=after, limit=limit), Keypair), limit)


def count(tx: Tx, user_id: str) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(keypairs).where(keypairs.c.user_id == user_id)) or 0)


def delete(tx: Tx, user_id: str, name: str) -> int:
    return tx.execute(keypairs.delete().where(keypairs.c.user_id == user_id, keypairs.c.name == name))
