"""The only SQL for subnets."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Json, Row, Tx, metadata
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.standard import store as standard
from pilvi.network.subnets.model import Subnet

subnets = sa.Table(
    "network_subnets",
    metadata,
    *standard.columns(),
    sa.Column("network_id", sa.String(36), nullable=False),
    sa.Column("ip_version", sa.Integer, nullable=False),
    sa.Column("cidr", sa.String(64), nullable=False),
    sa.Column("gateway_ip", sa.String(45), nullable=True),
    sa.Column("enable_dhcp", sa.Boolean, nullable=False),
    sa.Column("ipv6_ra_mode", sa.String(16), nullable=True),
    sa.Column("ipv6_address_mode", sa.String(16), nullable=True),
    sa.Column("subnetpool_id", sa.String(36), nullable=True),
    sa.Column("allocation_pools", Json, nullable=False),
    sa.Column("dns_nameservers", Json, nullable=False),
    sa.Column("host_routes", Json, nullable=False),
    sa.Column("service_types", Json, nullable=False),
    sa.Column("dns_publish_fixed_ip", sa.Boolean, nullable=False),
    sa.Index("network_subnets_by_network", "network_id"),
    sa.Index("network_subnets_by_project", "project_id"),
    sa.Index("network_subnets_by_pool", "subnetpool_id"),
)
track(
    subnets, "subnet",
    "name description project_id network_id ip_version cidr gateway_ip enable_dhcp ipv6_ra_mode "
    "ipv6_address_mode subnetpool_id allocation_pools dns_nameservers host_routes tags",
)  # fmt: skip

listing = standard.Listing(
    "Subnet",
    subnets,
    Subnet,
    standard.attributes(
        subnets, "network_id", "ip_version", "cidr", "gateway_ip", "enable_dhcp", "ipv6_ra_mode",
        "ipv6_address_mode", "subnetpool_id", "dns_publish_fixed_ip",
    ),
)  # fmt: skip


def visible(project_id: str, networks: list[str]) -> Any:
    return sa.or_(subnets.c.project_id == project_id, subnets.c.network_id.in_(networks))


def page(tx: Tx, query: Query, where: list[Any]) -> Page[Subnet]:
    return standard.page(tx, listing, query, where)


def in_networks(networks: list[str]) -> Any:
    return subnets.c.network_id.in_(networks)


def find(tx: Tx, id: str) -> Subnet | None:
    found: Subnet | None = standard.find(tx, listing, id)
    return found


def find_many(tx: Tx, ids: list[str]) -> list[Subnet]:
    return tx.all(sa.select(subnets).where(subnets.c.id.in_(ids)), Subnet)


def of_networks(tx: Tx, network_ids: list[str]) -> list[Subnet]:
    query = sa.select(subnets).where(subnets.c.network_id.in_(network_ids))
    return tx.all(query.order_by(subnets.c.created_at, subnets.c.id), Subnet)


def ids_by_network(tx: Tx, network_ids: list[str]) -> dict[str, list[str]]:
    query = sa.select(subnets.c.network_id, subnets.c.id).where(subnets.c.network_id.in_(network_ids))
    rows: list[Row] = tx.all(query.order_by(subnets.c.created_at, subnets.c.id))
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.network_id, []).append(row.id)
    return found


def pools_by_network(tx: Tx, network_ids: list[str]) -> list[tuple[str, int, str]]:
    """Network, IP version and subnet pool of every subnet that came from a pool."""
    query = sa.select(subnets.c.network_id, subnets.c.ip_version, subnets.c.subnetpool_id).where(
        subnets.c.network_id.in_(network_ids), subnets.c.subnetpool_id.is_not(None)
    )
    rows: list[Row] = tx.all(query)
    return [(row.network_id, row.ip_version, row.subnetpool_id) for row in rows]


def of_pool(tx: Tx, pool_id: str, project_id: str | None = None) -> list[Subnet]:
    query = sa.select(subnets).where(subnets.c.subnetpool_id == pool_id)
    return tx.all(query if project_id is None else query.where(subnets.c.project_id == project_id), Subnet)


def add(tx: Tx, subnet: Subnet) -> None:
    tx.insert(subnets, subnet)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, subnets, id, changes)


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, subnets, id)


def count(tx: Tx, project_id: str) -> int:
    return standard.count(tx, subnets, subnets.c.project_id == project_id)
