from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Shaped, Tx, among, metadata
from pilvi.kernel.history import track
from pilvi.placement.resource_providers.model import Provider

providers = sa.Table(
    "placement_providers",
    metadata,
    sa.Column("uuid", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("parent_uuid", sa.String(36), nullable=True),
    sa.Column("root_uuid", sa.String(36), nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.UniqueConstraint("name", name="placement_providers_name"),
    sa.Index("placement_providers_parent", "parent_uuid"),
    sa.Index("placement_providers_root", "root_uuid"),
)
track(providers, "resource_provider", "name parent_uuid root_uuid", project="", id="uuid")


def add(tx: Tx, provider: Provider) -> None:
    tx.insert(providers, provider)


def find(tx: Tx, uuid: str) -> Provider | None:
    return tx.first(sa.select(providers).where(providers.c.uuid == uuid), Provider)


def find_named(tx: Tx, name: str) -> Provider | None:
    return tx.first(sa.select(providers).where(providers.c.name == name), Provider)


def find_many(tx: Tx, uuids: Iterable[str]) -> list[Provider]:
    def build() -> sa.Select[Any]:
        return sa.select(providers).where(among(tx, providers.c.uuid, "uuids"))

    return tx.all(Shaped(("providers.many",), build, {"uuids": sorted(set(uuids))}), Provider)


def search(tx: Tx, *, name: str | None, uuid: str | None, root: str | None) -> list[Provider]:
    where: list[Any] = []
    if name is not None:
        where.append(providers.c.name == name)
    if uuid is not None:
        where.append(providers.c.uuid == uuid)
    if root is not None:
        where.append(providers.c.root_uuid == root)
    return tx.all(sa.select(providers).where(*where).order_by(providers.c.created_at, providers.c.uuid), Provider)


def children(tx: Tx, uuid: str) -> list[Provider]:
    return tx.all(sa.select(providers).where(providers.c.parent_uuid == uuid), Provider)


_NESTED = Shaped(("providers.nested",), lambda: sa.select(sa.exists().where(providers.c.parent_uuid.is_not(None))), {})


def any_nested(tx: Tx) -> bool:
    return bool(tx.scalar(_NESTED))


def update(tx: Tx, uuid: str, **changes: Any) -> None:
    tx.execute(providers.update().where(providers.c.uuid == uuid).values(updated_at=clock.timestamp(), **changes))


def move(tx: Tx, uuids: list[str], root_uuid: str) -> None:
    tx.execute(providers.update().where(providers.c.uuid.in_(uuids)).values(root_uuid=root_uuid))


def advance(tx: Tx, uuid: str, generation: int) -> bool:
    """One generation further, if it is still the one expected."""
    this = (providers.c.uuid == uuid, providers.c.generation == generation)
    changed = providers.update().where(*this).values(generation=generation + 1, updated_at=clock.timestamp())
    return tx.execute(changed) == 1


def touch(tx: Tx, uuid: str) -> None:
    """One generation further, whatever it is."""
    changed = providers.update().where(providers.c.uuid == uuid)
    tx.execute(changed.values(generation=providers.c.generation + 1, updated_at=clock.timestamp()))


def delete(tx: Tx, uuid: str) -> None:
    tx.execute(providers.delete().where(providers.c.uuid == uuid))
