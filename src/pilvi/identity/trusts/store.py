from typing import Any

import sqlalchemy as sa

from pilvi.identity.trusts.model import Trust
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.history import track

trusts = sa.Table(
    "identity_trusts",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("trustor_user_id", sa.String(64), nullable=False),
    sa.Column("trustee_user_id", sa.String(64), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=True),
    sa.Column("impersonation", sa.Boolean, nullable=False),
    sa.Column("role_ids", Json, nullable=False),
    sa.Column("expires_at", sa.String(27), nullable=True),
    sa.Column("remaining_uses", sa.Integer, nullable=True),
    sa.Column("redelegated_trust_id", sa.String(64), nullable=True),
    sa.Column("redelegation_count", sa.Integer, nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.Index("identity_trusts_trustor", "trustor_user_id"),
    sa.Index("identity_trusts_trustee", "trustee_user_id"),
    sa.Index("identity_trusts_parent", "redelegated_trust_id"),
)
track(
    trusts, "trust",
    "trustor_user_id trustee_user_id project_id impersonation role_ids expires_at remaining_uses redelegated_trust_id "
    "redelegation_count extra",
    name="id",
)  # fmt: skip


def add(tx: Tx, trust: Trust) -> None:
    tx.insert(trusts, trust)


def find(tx: Tx, id: str) -> Trust | None:
    return tx.first(sa.select(trusts).where(trusts.c.id == id), Trust)


def search(tx: Tx, **given: Any) -> list[Trust]:
    where = [trusts.c[name] == value for name, value in given.items() if value is not None]
    return tx.all(sa.select(trusts).where(*where).order_by(trusts.c.created_at), Trust)


def use_once(tx: Tx, id: str) -> bool:
    """Take one use; False when none is left. Right with many at once, for the condition is in the statement."""
    left = trusts.c.remaining_uses
    return tx.execute(trusts.update().where(trusts.c.id == id, left > 0).values(remaining_uses=left - 1)) == 1


def delete(tx: Tx, id: str) -> None:
    tx.execute(trusts.delete().where(trusts.c.id == id))


def children(tx: Tx, id: str) -> list[str]:
    return tx.scalars(sa.select(trusts.c.id).where(trusts.c.redelegated_trust_id == id))


def ids_of(tx: Tx, *, user_id: str | None = None, project_id: str | None = None) -> list[str]:
    where = trusts.c.project_id == project_id
    if user_id is not None:
        where = sa.or_(trusts.c.trustor_user_id == user_id, trusts.c.trustee_user_id == user_id)
    return tx.scalars(sa.select(trusts.c.id).where(where))
