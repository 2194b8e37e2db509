from typing import Any

import sqlalchemy as sa

from pilvi.identity.limits.model import Limit
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

limits = sa.Table(
    "identity_limits",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("registered_limit_id", sa.String(64), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=True),
    sa.Column("domain_id", sa.String(64), nullable=True),
    sa.Column("resource_limit", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Index("identity_limits_registered", "registered_limit_id"),
    sa.Index("identity_limits_project", "project_id"),
)
track(limits, "limit", "registered_limit_id project_id domain_id resource_limit description", name="id")


def add(tx: Tx, limit: Limit) -> None:
    tx.insert(limits, limit)


def find(tx: Tx, id: str) -> Limit | None:
    return tx.first(sa.select(limits).where(limits.c.id == id), Limit)


def of_registered(tx: Tx, registered_limit_id: str) -> list[Limit]:
    return tx.all(sa.select(limits).where(limits.c.registered_limit_id == registered_limit_id), Limit)


def search(
    tx: Tx, query: Query, *, project_id: str | None, domain_id: str | None, registered: list[str] | None
) -> Page[Limit]:
    where: list[Any] = []
    if project_id is not None:
        where.append(limits.c.project_id == project_id)
    if domain_id is not None:
        where.append(limits.c.domain_id == domain_id)
    if registered is not None:
        where.append(limits.c.registered_limit_id.in_(registered))
    return page(tx, limits, Limit, query, {}, where)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(limits.update().where(limits.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(limits.delete().where(limits.c.id == id))


def forget_owner(tx: Tx, id: str) -> None:
    tx.execute(limits.delete().where(sa.or_(limits.c.project_id == id, limits.c.domain_id == id)))
