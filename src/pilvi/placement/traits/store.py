from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Shaped, Tx, among, metadata
from pilvi.kernel.history import part, track
from pilvi.placement.traits.model import Trait

traits = sa.Table(
    "placement_traits",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("updated_at", sa.String(27), nullable=False),
)
track(traits, "trait", "name", project="", id="name")
provider_traits = sa.Table(
    "placement_provider_traits",
    metadata,
    sa.Column("provider_uuid", sa.String(36), primary_key=True),
    sa.Column("trait", sa.String(255), primary_key=True),
    sa.Index("placement_provider_traits_trait", "trait"),
)
part(provider_traits, "resource_provider", "provider_uuid", "trait {trait}")


def add(tx: Tx, name: str) -> None:
    tx.upsert(traits, {"name": name, "updated_at": clock.timestamp()}, keys=("name",), update=())


def find(tx: Tx, name: str) -> Trait | None:
    return tx.first(sa.select(traits).where(traits.c.name == name), Trait)


def find_many(tx: Tx, names: list[str]) -> list[str]:
    return tx.scalars(sa.select(traits.c.name).where(traits.c.name.in_(names)))


def custom(tx: Tx) -> list[str]:
    return tx.scalars(sa.select(traits.c.name).order_by(traits.c.name))


def delete(tx: Tx, name: str) -> None:
    tx.execute(traits.delete().where(traits.c.name == name))


def associated(tx: Tx) -> set[str]:
    return set(tx.scalars(sa.select(provider_traits.c.trait).distinct()))


def is_associated(tx: Tx, name: str) -> bool:
    found = sa.exists().where(provider_traits.c.trait == sa.bindparam("wanted_trait"))
    return bool(tx.scalar(Shaped(("traits.is_associated",), lambda: sa.select(found), {"wanted_trait": name})))


def of(tx: Tx, provider_uuid: str) -> list[str]:
    query = sa.select(provider_traits.c.trait).where(provider_traits.c.provider_uuid == provider_uuid)
    return tx.scalars(query.order_by(provider_traits.c.trait))


def pairs(tx: Tx, provider_uuids: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Provider and trait, of these providers or of all."""
    if provider_uuids is None:
        rows: list[Any] = tx.all(sa.select(provider_traits))
        return [(row.provider_uuid, row.trait) for row in rows]

    def build() -> sa.Select[Any]:
        return sa.select(provider_traits).where(among(tx, provider_traits.c.provider_uuid, "uuids"))

    rows = tx.all(Shaped(("provider_traits.many",), build, {"uuids": sorted(set(provider_uuids))}))
    return [(row.provider_uuid, row.trait) for row in rows]


def put(tx: Tx, provider_uuid: str, names: Iterable[str]) -> None:
    forget_provider(tx, provider_uuid)
    tx.insert_many(provider_traits, [{"provider_uuid": provider_uuid, "trait": name} for name in sorted(set(names))])


def forget_provider(tx: Tx, provider_uuid: str) -> None:
    tx.execute(provider_traits.delete().where(provider_traits.c.provider_uuid == provider_uuid))
