"""The only SQL for floating IPs."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.floating_ips.model import FloatingIp
from pilvi.network.standard import store as standard

floating_ips = sa.Table(
    "network_floating_ips",
    metadata,
    *standard.columns(),
    sa.Column("floating_network_id", sa.String(36), nullable=False),
    sa.Column("floating_ip_address", sa.String(45), nullable=False),
    sa.Column("floating_port_id", sa.String(36), nullable=False),
    sa.Column("port_id", sa.String(36), nullable=True),
    sa.Column("fixed_ip_address", sa.String(45), nullable=True),
    sa.Column("router_id", sa.String(36), nullable=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("dns_name", sa.String(255), nullable=False),
    sa.Column("dns_domain", sa.String(255), nullable=False),
    sa.Index("network_floating_ips_by_port", "port_id", "fixed_ip_address", unique=True),
    sa.Index("network_floating_ips_by_project", "project_id"),
    sa.Index("network_floating_ips_by_router", "router_id"),
    sa.Index("network_floating_ips_by_network", "floating_network_id"),
)
track(
    floating_ips, "floatingip",
    "description project_id floating_network_id floating_ip_address port_id fixed_ip_address router_id "
    "status dns_name tags",
    name="floating_ip_address",
)  # fmt: skip

listing = standard.Listing(
    "FloatingIP",
    floating_ips,
    FloatingIp,
    standard.attributes(
        floating_ips, "floating_network_id", "floating_ip_address", "port_id", "fixed_ip_address", "router_id",
        "status", "dns_name", "dns_domain",
    ),
)  # fmt: skip


def of_project(project_id: str) -> Any:
    return floating_ips.c.project_id == project_id


def page(tx: Tx, query: Query, where: list[Any]) -> Page[FloatingIp]:
    return standard.page(tx, listing, query, where)


def find(tx: Tx, id: str) -> FloatingIp | None:
    found: FloatingIp | None = standard.find(tx, listing, id)
    return found


def of_ports(tx: Tx, port_ids: list[str]) -> list[FloatingIp]:
    query = sa.select(floating_ips).where(floating_ips.c.port_id.in_(port_ids)).order_by(floating_ips.c.id)
    return tx.all(query, FloatingIp)


def of_routers(tx: Tx, router_ids: list[str]) -> list[FloatingIp]:
    query = sa.select(floating_ips).where(floating_ips.c.router_id.in_(router_ids)).order_by(floating_ips.c.id)
    return tx.all(query, FloatingIp)


def of_network(tx: Tx, network_id: str) -> list[FloatingIp]:
    query = sa.select(floating_ips).where(floating_ips.c.floating_network_id == network_id)
    return tx.all(query.order_by(floating_ips.c.id), FloatingIp)


def add(tx: Tx, one: FloatingIp, taken: Conflict) -> None:
    tx.insert(floating_ips, one, duplicate=taken)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, floating_ips, id, changes)


def observe(tx: Tx, id: str, status: str) -> None:
    tx.execute(floating_ips.update().where(floating_ips.c.id == id).values(status=status))


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, floating_ips, id)


def count(tx: Tx, project_id: str) -> int:
    return standard.count(tx, floating_ips, floating_ips.c.project_id == project_id)
