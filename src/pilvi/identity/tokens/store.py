"""Revoked tokens, until they would have ended anyway."""

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Tx, metadata

revocations = sa.Table(
    "identity_revocations",
    metadata,
    sa.Column("audit_id", sa.String(32), primary_key=True),
    sa.Column("forget_at", sa.Float, nullable=False),
    sa.Index("identity_revocations_by_end", "forget_at"),
)


def revoke(tx: Tx, audit_id: str, forget_at: float) -> None:
    tx.execute(revocations.delete().where(revocations.c.forget_at < clock.now()))
    tx.upsert(revocations, {"audit_id": audit_id, "forget_at": forget_at}, keys=("audit_id",))


def is_revoked(tx: Tx, audit_id: str) -> bool:
    return tx.scalar(sa.select(revocations.c.audit_id).where(revocations.c.audit_id == audit_id)) is not None
