"""The only SQL for namespaces of metadata definitions."""

import sqlalchemy as sa

from pilvi.image.metadef_namespaces.model import Namespace
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import track

namespaces = sa.Table(
    "image_metadef_namespaces",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("namespace", sa.String(80), nullable=False, unique=True),
    sa.Column("display_name", sa.String(80), nullable=True),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("visibility", sa.String(16), nullable=False),
    sa.Column("protected", sa.Boolean, nullable=False),
    sa.Column("owner", sa.String(255), nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
)
track(
    namespaces, "metadef_namespace", "namespace display_name description visibility protected owner", name="namespace",
    project="owner",
)  # fmt: skip

SORT_KEYS = {
    "namespace": namespaces.c.namespace,
    "created_at": namespaces.c.created_at,
    "updated_at": namespaces.c.updated_at,
}


def _taken(namespace: Namespace) -> Conflict:
    return Conflict(f"The metadata definition namespace={namespace.namespace} already exists.")


def add(tx: Tx, namespace: Namespace) -> None:
    tx.insert(namespaces, namespace, duplicate=_taken(namespace))


def find(tx: Tx, name: str) -> Namespace | None:
    return tx.first(sa.select(namespaces).where(namespaces.c.namespace == name), Namespace)


def update(tx: Tx, namespace: Namespace) -> None:
    values = {name: getattr(namespace, name) for name in Namespace.__dataclass_fields__ if name != "id"}
    tx.execute(namespaces.update().where(namespaces.c.id == namespace.id).values(**values), duplicate=_taken(namespace))


def delete(tx: Tx, id: str) -> None:
    tx.execute(namespaces.delete().where(namespaces.c.id == id))


def list_(
    tx: Tx,
    *,
    owner: str | None,
    visibility: str | None,
    ids: list[str] | None,
    marker: Namespace | None,
    sort_key: str,
    ascending: bool,
    limit: int,
) -> list[Namespace]:
    """One more than the limit. Without an owner, those of everybody."""
    statement = sa.select(namespaces)
    if owner is not None:
        statement = statement.where(sa.or_(namespaces.c.owner == owner, namespaces.c.visibility == "public"))
    if visibility is not None:
        statement = statement.where(namespaces.c.visibility == visibility)
    if ids is not None:
        statement = statement.where(namespaces.c.id.in_(ids))
    column, id = SORT_KEYS[sort_key], namespaces.c.id
    if marker is not None:
        value = getattr(marker, sort_key)
        further = column > value if ascending else column < value
        later = id > marker.id if ascending else id < marker.id
        statement = statement.where(sa.or_(further, sa.and_(column == value, later)))
    order = (column.asc(), id.asc()) if ascending else (column.desc(), id.desc())
    return tx.all(statement.order_by(*order).limit(limit + 1), Namespace)
