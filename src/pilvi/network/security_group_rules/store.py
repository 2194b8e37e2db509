"""The only SQL for rules of security groups."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.security_group_rules.model import SecurityGroupRule
from pilvi.network.standard import store as standard

rules = sa.Table(
    "network_security_group_rules",
    metadata,
    *standard.columns(),
    sa.Column("security_group_id", sa.String(36), nullable=False),
    sa.Column("direction", sa.String(8), nullable=False),
    sa.Column("ethertype", sa.String(4), nullable=False),
    sa.Column("protocol", sa.String(16), nullable=True),
    sa.Column("port_range_min", sa.Integer, nullable=True),
    sa.Column("port_range_max", sa.Integer, nullable=True),
    sa.Column("remote_ip_prefix", sa.String(64), nullable=True),
    sa.Column("remote_group_id", sa.String(36), nullable=True),
    sa.Index("network_security_group_rules_by_group", "security_group_id"),
    sa.Index("network_security_group_rules_by_remote", "remote_group_id"),
    sa.Index("network_security_group_rules_by_project", "project_id"),
)
track(
    rules, "security_group_rule",
    "project_id security_group_id direction ethertype protocol port_range_min port_range_max "
    "remote_ip_prefix remote_group_id description",
)  # fmt: skip

listing = standard.Listing(
    "SecurityGroupRule",
    rules,
    SecurityGroupRule,
    standard.attributes(
        rules, "security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
        "remote_ip_prefix", "remote_group_id",
    ),
)  # fmt: skip


def owned(project_id: str) -> Any:
    return rules.c.project_id == project_id


def page(tx: Tx, query: Query, where: list[Any]) -> Page[SecurityGroupRule]:
    return standard.page(tx, listing, query, where)


def find(tx: Tx, id: str) -> SecurityGroupRule | None:
    found: SecurityGroupRule | None = standard.find(tx, listing, id)
    return found


def of_groups(tx: Tx, ids: list[str]) -> list[SecurityGroupRule]:
    query = sa.select(rules).where(rules.c.security_group_id.in_(ids)).order_by(rules.c.created_at, rules.c.id)
    return tx.all(query, SecurityGroupRule)


def referring(tx: Tx, ids: list[str]) -> set[str]:
    """Groups whose rules name one of these as the remote group."""
    return set(tx.scalars(sa.select(rules.c.security_group_id).where(rules.c.remote_group_id.in_(ids))))


def add(tx: Tx, rule: SecurityGroupRule) -> None:
    tx.insert(rules, rule)


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, rules, id)


def delete_of_group(tx: Tx, group_id: str) -> None:
    tx.execute(rules.delete().where(sa.or_(rules.c.security_group_id == group_id, rules.c.remote_group_id == group_id)))


def count(tx: Tx, project_id: str) -> int:
    return standard.count(tx, rules, rules.c.project_id == project_id)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, rules, id, changes)
