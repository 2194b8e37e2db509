from typing import Any

import sqlalchemy as sa

from pilvi.identity.mappings.model import Mapping
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import track

mappings = sa.Table(
    "identity_mappings",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("schema_version", sa.String(8), nullable=False),
    sa.Column("rules", Json, nullable=False),
)
track(mappings, "mapping", "schema_version rules", name="id", project="")


def add(tx: Tx, mapping: Mapping) -> None:
    tx.insert(mappings, mapping, duplicate=Conflict(f"There is a mapping {mapping.id} already."))


def find(tx: Tx, id: str) -> Mapping | None:
    return tx.first(sa.select(mappings).where(mappings.c.id == id), Mapping)


def everything(tx: Tx) -> list[Mapping]:
    return tx.all(sa.select(mappings).order_by(mappings.c.id), Mapping)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(mappings.update().where(mappings.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(mappings.delete().where(mappings.c.id == id))
