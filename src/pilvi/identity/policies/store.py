from typing import Any

import sqlalchemy as sa

from pilvi.identity.policies.model import PolicyBlob
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

policies = sa.Table(
    "identity_policies",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("type", sa.String(255), nullable=False),
    sa.Column("blob", sa.Text, nullable=False),
    sa.Column("extra", Json, nullable=False),
)
track(policies, "policy", "type blob extra", name="id", project="")


def add(tx: Tx, blob: PolicyBlob) -> None:
    tx.insert(policies, blob)


def find(tx: Tx, id: str) -> PolicyBlob | None:
    return tx.first(sa.select(policies).where(policies.c.id == id), PolicyBlob)


def search(tx: Tx, query: Query) -> Page[PolicyBlob]:
    return page(tx, policies, PolicyBlob, query, {"type": policies.c.type})


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(policies.update().where(policies.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(policies.delete().where(policies.c.id == id))
