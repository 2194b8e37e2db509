"""The only SQL for routers."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.routers.model import Router
from pilvi.network.standard import store as standard

routers = sa.Table(
    "network_routers",
    metadata,
    *standard.columns(),
    sa.Column("admin_state_up", sa.Boolean, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("gateway_port_id", sa.String(36), nullable=True),
    sa.Column("gateway_network_id", sa.String(36), nullable=True),
    sa.Column("enable_snat", sa.Boolean, nullable=False),
    sa.Column("routes", Json, nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("availability_zone_hints", Json, nullable=False),
    sa.Index("network_routers_by_project", "project_id"),
    sa.Index("network_routers_by_host", "host"),
    sa.Index("network_routers_by_gateway", "gateway_network_id"),
)
track(
    routers, "router",
    "name description project_id admin_state_up status gateway_port_id gateway_network_id enable_snat "
    "routes host tags",
)  # fmt: skip

listing = standard.Listing(
    "Router", routers, Router, standard.attributes(routers, "admin_state_up", "status", "enable_snat")
)


def of_project(project_id: str) -> Any:
    return routers.c.project_id == project_id


def page(tx: Tx, query: Query, where: list[Any]) -> Page[Router]:
    return standard.page(tx, listing, query, where)


def find(tx: Tx, id: str) -> Router | None:
    found: Router | None = standard.find(tx, listing, id)
    return found


def find_many(tx: Tx, ids: list[str]) -> list[Router]:
    return tx.all(sa.select(routers).where(routers.c.id.in_(ids)).order_by(routers.c.id), Router)


def on_host(tx: Tx, host: str) -> list[Router]:
    return tx.all(sa.select(routers).where(routers.c.host == host).order_by(routers.c.id), Router)


def unplaced(tx: Tx) -> list[str]:
    return tx.scalars(sa.select(routers.c.id).where(routers.c.host == "").limit(1000))


def uses_gateway(tx: Tx, network_id: str) -> bool:
    return tx.scalar(sa.select(routers.c.id).where(routers.c.gateway_network_id == network_id).limit(1)) is not None


def add(tx: Tx, router: Router) -> None:
    tx.insert(routers, router)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, routers, id, changes)


def observe(tx: Tx, id: str, status: str) -> None:
    tx.execute(routers.update().where(routers.c.id == id).values(status=status))


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, routers, id)


def count(tx: Tx, project_id: str) -> int:
    return standard.count(tx, routers, routers.c.project_id == project_id)
