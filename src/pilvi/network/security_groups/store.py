"""The only SQL for security groups, each project's default one, and which ports have which."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Row, Tx, metadata
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.security_groups.model import SecurityGroup
from pilvi.network.standard import store as standard

security_groups = sa.Table(
    "network_security_groups",
    metadata,
    *standard.columns(),
    sa.Column("stateful", sa.Boolean, nullable=False),
    sa.Index("network_security_groups_by_project", "project_id", "name"),
)
track(
    security_groups, "security_group",
    "name description project_id stateful tags",
)  # fmt: skip
defaults = sa.Table(
    "network_default_security_groups",
    metadata,
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Column("security_group_id", sa.String(36), nullable=False, unique=True),
)
bindings = sa.Table(
    "network_security_group_ports",
    metadata,
    sa.Column("security_group_id", sa.String(36), primary_key=True),
    sa.Column("port_id", sa.String(36), primary_key=True),
    sa.Index("network_security_group_ports_by_port", "port_id"),
)

listing = standard.Listing(
    "SecurityGroup", security_groups, SecurityGroup, standard.attributes(security_groups, "stateful")
)


def visible(project_id: str, shared: list[str]) -> Any:
    return sa.or_(security_groups.c.project_id == project_id, security_groups.c.id.in_(shared))


def among(ids: list[str]) -> Any:
    return security_groups.c.id.in_(ids)


def page(tx: Tx, query: Query, where: list[Any]) -> Page[SecurityGroup]:
    return standard.page(tx, listing, query, where)


def find(tx: Tx, id: str) -> SecurityGroup | None:
    found: SecurityGroup | None = standard.find(tx, listing, id)
    return found


def find_many(tx: Tx, ids: Iterable[str]) -> list[SecurityGroup]:
    return tx.all(sa.select(security_groups).where(security_groups.c.id.in_(list(ids))), SecurityGroup)


def named(tx: Tx, project_id: str, name: str) -> list[SecurityGroup]:
    query = sa.select(security_groups).where(security_groups.c.project_id == project_id, security_groups.c.name == name)
    return tx.all(query, SecurityGroup)


def add(tx: Tx, group: SecurityGroup) -> None:
    tx.insert(security_groups, group)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, security_groups, id, changes)


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, security_groups, id)


def count(tx: Tx, project_id: str) -> int:
    return standard.count(tx, security_groups, security_groups.c.project_id == project_id)


def default_of(tx: Tx, project_id: str) -> str | None:
    found: str | None = tx.scalar(sa.select(defaults.c.security_group_id).where(defaults.c.project_id == project_id))
    return found


def is_default(tx: Tx, id: str) -> bool:
    return tx.scalar(sa.select(defaults.c.project_id).where(defaults.c.security_group_id == id)) is not None


def default_ids(tx: Tx, ids: list[str]) -> set[str]:
    return set(tx.scalars(sa.select(defaults.c.security_group_id).where(defaults.c.security_group_id.in_(ids))))


def set_default(tx: Tx, project_id: str, id: str) -> None:
    tx.insert(defaults, {"project_id": project_id, "security_group_id": id})


def forget_default(tx: Tx, id: str) -> None:
    tx.execute(defaults.delete().where(defaults.c.security_group_id == id))


def bind(tx: Tx, port_id: str, groups: Iterable[str]) -> None:
    tx.insert_many(bindings, [{"security_group_id": group, "port_id": port_id} for group in groups])


def unbind(tx: Tx, port_id: str) -> None:
    tx.execute(bindings.delete().where(bindings.c.port_id == port_id))


def in_use(tx: Tx, id: str) -> bool:
    query = sa.select(bindings.c.port_id).where(bindings.c.security_group_id == id).limit(1)
    return tx.scalar(query) is not None


def members(tx: Tx, ids: list[str]) -> list[tuple[str, str]]:
    """Group and port of every binding of these groups."""
    query = sa.select(bindings.c.security_group_id, bindings.c.port_id).where(bindings.c.security_group_id.in_(ids))
    rows: list[Row] = tx.all(query)
    return [(row.security_group_id, row.port_id) for row in rows]


def ports_with(ids: list[str]) -> sa.Select[tuple[str]]:
    """A subquery of the ports that have one of these groups."""
    return sa.select(bindings.c.port_id).where(bindings.c.security_group_id.in_(ids))
