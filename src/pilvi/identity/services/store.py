from typing import Any

import sqlalchemy as sa

from pilvi.identity.services.model import Service
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

services = sa.Table(
    "identity_services",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("type", sa.String(255), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("extra", Json, nullable=False),
)
track(services, "service", "type name description enabled extra", project="")
_COLUMNS = {n: services.c[n] for n in ("id", "type", "name", "enabled", "description")}


def add(tx: Tx, service: Service) -> None:
    tx.insert(services, service)


def find(tx: Tx, id: str) -> Service | None:
    return tx.first(sa.select(services).where(services.c.id == id), Service)


def search(tx: Tx, query: Query) -> Page[Service]:
    return page(tx, services, Service, query, _COLUMNS)


def everything(tx: Tx) -> list[Service]:
    return tx.all(sa.select(services).order_by(services.c.type, services.c.name), Service)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(services.update().where(services.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(services.delete().where(services.c.id == id))
