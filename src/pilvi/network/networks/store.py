"""The only SQL for networks."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Json, Row, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.kernel.wire import boolean
from pilvi.network.networks.model import SEGMENT_LIMIT, ZONE_LIMIT, Network
from pilvi.network.standard import store as standard

networks = sa.Table(
    "network_networks",
    metadata,
    *standard.columns(),
    sa.Column("admin_state_up", sa.Boolean, nullable=False),
    sa.Column("mtu", sa.Integer, nullable=False),
    sa.Column("external", sa.Boolean, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("port_security_enabled", sa.Boolean, nullable=False),
    sa.Column("network_type", sa.String(16), nullable=False),
    sa.Column("physical_network", sa.String(64), nullable=True),
    sa.Column("segmentation_id", sa.Integer, nullable=True),
    sa.Column("zone", sa.Integer, nullable=False, unique=True),
    sa.Column("dns_domain", sa.String(255), nullable=False),
    sa.Column("availability_zone_hints", Json, nullable=False),
    sa.Index("network_networks_by_project", "project_id"),
    sa.Index("network_networks_by_name", "name"),
    sa.Index("network_networks_by_segment", "network_type", "segmentation_id", unique=True),
)
track(
    networks, "network",
    "name description project_id admin_state_up mtu external is_default port_security_enabled "
    "network_type physical_network segmentation_id dns_domain tags",
)  # fmt: skip

listing = standard.Listing(
    "Network",
    networks,
    Network,
    standard.attributes(
        networks, "admin_state_up", "mtu", "is_default", "port_security_enabled", "dns_domain",
        **{
            "router:external": "external", "provider:network_type": "network_type",
            "provider:physical_network": "physical_network", "provider:segmentation_id": "segmentation_id",
        },
    ),
    {"status": lambda values: sa.true() if "ACTIVE" in values else sa.false()},
)  # fmt: skip


def visible(project_id: str, shared: list[str]) -> Any:
    return sa.or_(networks.c.project_id == project_id, networks.c.id.in_(shared))


def shared_is(values: list[str], shared: list[str]) -> Any:
    wanted = {boolean(value) for value in values}
    among = networks.c.id.in_(shared)
    return sa.true() if len(wanted) > 1 else among if True in wanted else sa.not_(among)


def page(tx: Tx, query: Query, where: list[Any]) -> Page[Network]:
    return standard.page(tx, listing, query, where)


def find(tx: Tx, id: str) -> Network | None:
    found: Network | None = standard.find(tx, listing, id)
    return found


def find_many(tx: Tx, ids: list[str]) -> list[Network]:
    return tx.all(sa.select(networks).where(networks.c.id.in_(ids)), Network)


def all_networks(tx: Tx) -> list[Network]:
    return tx.all(sa.select(networks).order_by(networks.c.id), Network)


def add(tx: Tx, network: Network, taken: Conflict) -> None:
    tx.insert(networks, network, duplicate=taken)


def change(tx: Tx, id: str, changes: Mapping[str, Any]) -> None:
    standard.change(tx, networks, id, changes)


def delete(tx: Tx, id: str) -> None:
    standard.remove(tx, networks, id)


def count(tx: Tx, project_id: str) -> int:
    return standard.count(tx, networks, networks.c.project_id == project_id)


def owned(tx: Tx, project_id: str) -> list[str]:
    return tx.scalars(sa.select(networks.c.id).where(networks.c.project_id == project_id))


def owned_internal(tx: Tx, project_id: str) -> list[str]:
    query = sa.select(networks.c.id).where(networks.c.project_id == project_id, networks.c.external.is_(False))
    return tx.scalars(query.order_by(networks.c.id))


def names(tx: Tx, ids: list[str]) -> dict[str, str]:
    rows: list[Row] = tx.all(sa.select(networks.c.id, networks.c.name).where(networks.c.id.in_(ids)))
    return {row.id: row.name for row in rows}


def clear_default(tx: Tx) -> None:
    tx.execute(networks.update().where(networks.c.is_default.is_(True)).values(is_default=False))


def take_segment(tx: Tx) -> int | None:
    def taken(numbers: list[int]) -> set[int]:
        asked = [number + 1 for number in numbers]
        query = sa.select(networks.c.segmentation_id).where(
            networks.c.network_type == "vxlan", networks.c.segmentation_id.in_(asked)
        )
        return {number - 1 for number in tx.scalars(query)}

    tx.lock("network segments")
    number = standard.take_number(tx, "segments", SEGMENT_LIMIT - 1, taken)
    return None if number is None else number + 1


def take_zone(tx: Tx) -> int | None:
    def taken(numbers: list[int]) -> set[int]:
        query = sa.select(networks.c.zone).where(networks.c.zone.in_([number + 1 for number in numbers]))
        return {number - 1 for number in tx.scalars(query)}

    tx.lock("network zones")
    number = standard.take_number(tx, "zones", ZONE_LIMIT, taken)
    return None if number is None else number + 1
