from typing import Any

import sqlalchemy as sa

from pilvi.identity.endpoints.model import Endpoint
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

endpoints = sa.Table(
    "identity_endpoints",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("interface", sa.String(8), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("service_id", sa.String(64), nullable=False),
    sa.Column("region_id", sa.String(255), nullable=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.Index("identity_endpoints_service", "service_id"),
)
track(endpoints, "endpoint", "interface url service_id region_id enabled extra", name="id", project="")
_COLUMNS = {n: endpoints.c[n] for n in ("id", "interface", "service_id", "region_id", "enabled")}


def add(tx: Tx, endpoint: Endpoint) -> None:
    tx.insert(endpoints, endpoint)


def find(tx: Tx, id: str) -> Endpoint | None:
    return tx.first(sa.select(endpoints).where(endpoints.c.id == id), Endpoint)


def search(tx: Tx, query: Query) -> Page[Endpoint]:
    return page(tx, endpoints, Endpoint, query, _COLUMNS)


def everything(tx: Tx) -> list[Endpoint]:
    return tx.all(sa.select(endpoints).order_by(endpoints.c.interface, endpoints.c.id), Endpoint)


def in_region(tx: Tx, region_id: str) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(endpoints).where(endpoints.c.region_id == region_id)) or 0


def of_service(tx: Tx, service_id: str) -> list[str]:
    return tx.scalars(sa.select(endpoints.c.id).where(endpoints.c.service_id == service_id))


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(endpoints.update().where(endpoints.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(endpoints.delete().where(endpoints.c.id == id))
