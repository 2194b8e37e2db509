from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Shaped, Tx, among, metadata
from pilvi.kernel.history import part

aggregates = sa.Table(
    "placement_provider_aggregates",
    metadata,
    sa.Column("provider_uuid", sa.String(36), primary_key=True),
    sa.Column("aggregate_uuid", sa.String(36), primary_key=True),
    sa.Index("placement_provider_aggregates_aggregate", "aggregate_uuid"),
)
part(aggregates, "resource_provider", "provider_uuid", "aggregate {aggregate_uuid}")


def of(tx: Tx, provider_uuid: str) -> list[str]:
    query = sa.select(aggregates.c.aggregate_uuid).where(aggregates.c.provider_uuid == provider_uuid)
    return tx.scalars(query.order_by(aggregates.c.aggregate_uuid))


def pairs(tx: Tx, provider_uuids: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Provider and aggregate, of these providers or of all."""
    if provider_uuids is None:
        rows: list[Any] = tx.all(sa.select(aggregates))
        return [(row.provider_uuid, row.aggregate_uuid) for row in rows]

    def build() -> sa.Select[Any]:
        return sa.select(aggregates).where(among(tx, aggregates.c.provider_uuid, "uuids"))

    rows = tx.all(Shaped(("provider_aggregates.many",), build, {"uuids": sorted(set(provider_uuids))}))
    return [(row.provider_uuid, row.aggregate_uuid) for row in rows]


def put(tx: Tx, provider_uuid: str, uuids: Iterable[str]) -> None:
    forget_provider(tx, provider_uuid)
    rows = [{"provider_uuid": provider_uuid, "aggregate_uuid": uuid} for uuid in sorted(set(uuids))]
    tx.insert_many(aggregates, rows)


def forget_provider(tx: Tx, provider_uuid: str) -> None:
    tx.execute(aggregates.delete().where(aggregates.c.provider_uuid == provider_uuid))
