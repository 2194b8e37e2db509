"""The only SQL for subnet pools."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Json, Row, Tx, metadata
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.standard import store as standard
from pilvi.network.subnetpools.model import SubnetPool

subnetpools = sa.Table(
    "network_subnetpools",
    metadata,
    *standard.columns(),
    sa.Column("prefixes", Json, nullable=False),
    sa.Column("ip_version", sa.Integer, nullable=False),
    sa.Column("default_prefixlen", sa.Integer, nullable=False),
    sa.Column("min_prefixlen", sa.Integer, nullable=False),
    sa.Column("max_prefixlen", sa.Integer, nullable=False),
    sa.Column("default_quota", sa.Integer, nullable=True),
    sa.Column("address_scope_id", sa.String(36), nullable=True),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Index("network_subnetpools_by_project", "project_id"),
    sa.Index("network_subnetpools_by_scope", "address_scope_id"),
)
track(
    subnetpools, "subnetpool",
    "name description project_id prefixes ip_version default_prefixlen min_prefixlen max_prefixlen "
    "default_quota address_scope_id is_default tags",
)  # fmt: skip

listing = standard.Listing(
    "SubnetPool",
    subnetpools,
    SubnetPool,
    standard.attributes(
        subnetpools, "ip_version", "default_prefixlen", "min_prefixlen", "max_prefixlen", "default_quota",
        "address_scope_id", "is_default",
    ),
)  # fmt: skip


def visible(project_id: str, shared: list[str]) -> Any:
    return sa.or_(subnetpools.c.project_id == project_id, subnetpools.c.id.in_(shared))


def among(ids: list[str]) -> Any:
    return subnetpools.c.id.in_(ids)


def page(tx: Tx, query: Query, where: list[Any]) -> Page[SubnetPool]:
    return standard.page(tx, listing, query, where)


def find(tx: Tx, id: str) -> SubnetPool | None:
    found: SubnetPool | None = standard.find(tx, listing, id)
    return found


def default(tx: Tx, version: int) -> SubnetPool | None:
    query = sa.select(subnetpools).where(subnetpools.c.is_default.is_(True), subnetpools.c.ip_version == version)
    return tx.first(query, SubnetPool)


def scopes(tx: Tx, ids: list[str]) -> dict[str, str]:
    """Pool → address scope, of those that are in one."""
    query = sa.select(subnetpools.c.id, subnetpools.c.address_scope_id).where(
        subnetpools.c.id.in_(ids), subnetpools.c.address_scope_id.is_not(None)
    )
    rows: list[Row] = tx.all(query)
    return {row.id: row.address_scope_id for row in rows}


def of_scope(tx: Tx, scope_id: str) -> list[SubnetPool]:
    return tx.all(sa.select(subnetpools).where(subnetpools.c.address_scope_id == scope_id), SubnetPool)


def add(tx: Tx, pool: SubnetPool) -> None:
    tx.insert(subnetpools, pool)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, subnetpools, id, changes)


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, subnetpools, id)


def count(tx: Tx, project_id: str) -> int:
    return standard.count(tx, subnetpools, subnetpools.c.project_id == project_id)
