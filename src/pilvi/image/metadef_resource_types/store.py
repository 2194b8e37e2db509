"""The only SQL for resource types of namespaces."""

import sqlalchemy as sa

from pilvi.image.metadef_resource_types.model import Association
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import part

associations = sa.Table(
    "image_metadef_resource_types",
    metadata,
    sa.Column("namespace_id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("prefix", sa.String(80), nullable=True),
    sa.Column("properties_target", sa.String(80), nullable=True),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Index("image_metadef_resource_types_by_name", "name"),
)
part(associations, "metadef_namespace", "namespace_id", "resource type {name}", "prefix properties_target")


def add(tx: Tx, association: Association) -> None:
    taken = Conflict(f"The resource type {association.name} is associated with this namespace already.")
    tx.insert(associations, association, duplicate=taken)


def of(tx: Tx, namespace_ids: list[str]) -> list[Association]:
    chosen = sa.select(associations).where(associations.c.namespace_id.in_(namespace_ids))
    return tx.all(chosen.order_by(associations.c.name), Association)


def namespace_ids(tx: Tx, names: list[str]) -> list[str]:
    chosen = sa.select(associations.c.namespace_id).where(associations.c.name.in_(names))
    return tx.scalars(chosen.distinct())


def names(tx: Tx) -> list[str]:
    return tx.scalars(sa.select(associations.c.name).distinct())


def delete(tx: Tx, namespace_id: str, name: str | None = None) -> int:
    statement = associations.delete().where(associations.c.namespace_id == namespace_id)
    return tx.execute(statement if name is None else statement.where(associations.c.name == name))
