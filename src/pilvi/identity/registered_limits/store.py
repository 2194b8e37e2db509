from typing import Any

import sqlalchemy as sa

from pilvi.identity.registered_limits.model import RegisteredLimit
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

registered_limits = sa.Table(
    "identity_registered_limits",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("service_id", sa.String(64), nullable=False),
    sa.Column("region_id", sa.String(255), nullable=True),
    sa.Column("resource_name", sa.String(255), nullable=False),
    sa.Column("default_limit", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Index("identity_registered_limits_resource", "service_id", "resource_name"),
)
track(
    registered_limits, "registered_limit", "service_id region_id resource_name default_limit description",
    name="resource_name", project="",
)  # fmt: skip
_COLUMNS = {n: registered_limits.c[n] for n in ("service_id", "region_id", "resource_name")}


def add(tx: Tx, limit: RegisteredLimit) -> None:
    tx.insert(registered_limits, limit)


def find(tx: Tx, id: str) -> RegisteredLimit | None:
    return tx.first(sa.select(registered_limits).where(registered_limits.c.id == id), RegisteredLimit)


def find_same(tx: Tx, service_id: str, region_id: str | None, resource_name: str) -> RegisteredLimit | None:
    column = registered_limits.c
    where = [column.service_id == service_id, column.resource_name == resource_name]
    where.append(column.region_id.is_(None) if region_id is None else column.region_id == region_id)
    return tx.first(sa.select(registered_limits).where(*where), RegisteredLimit)


def search(tx: Tx, query: Query) -> Page[RegisteredLimit]:
    return page(tx, registered_limits, RegisteredLimit, query, _COLUMNS)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(registered_limits.update().where(registered_limits.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(registered_limits.delete().where(registered_limits.c.id == id))
