from typing import Any

import sqlalchemy as sa

from pilvi.identity.regions.model import Region
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

regions = sa.Table(
    "identity_regions",
    metadata,
    sa.Column("id", sa.String(255), primary_key=True),
    sa.Column("description", sa.String(255), nullable=False),
    sa.Column("parent_region_id", sa.String(255), nullable=True),
    sa.Column("extra", Json, nullable=False),
)
track(regions, "region", "description parent_region_id extra", name="id", project="")
_COLUMNS = {"parent_region_id": regions.c.parent_region_id}


def add(tx: Tx, region: Region) -> None:
    taken = Conflict(f"Conflict occurred attempting to store region - Duplicate ID, {region.id}.")
    tx.insert(regions, region, duplicate=taken)


def find(tx: Tx, id: str) -> Region | None:
    return tx.first(sa.select(regions).where(regions.c.id == id), Region)


def has_children(tx: Tx, id: str) -> bool:
    return tx.scalar(sa.select(regions.c.id).where(regions.c.parent_region_id == id).limit(1)) is not None


def search(tx: Tx, query: Query) -> Page[Region]:
    return page(tx, regions, Region, query, _COLUMNS)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(regions.update().where(regions.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(regions.delete().where(regions.c.id == id))
