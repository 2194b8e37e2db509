"""The only SQL for objects, properties and tags of namespaces."""

import sqlalchemy as sa

from pilvi.image.metadef_entries.model import Entry
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.history import part

entries = sa.Table(
    "image_metadef_entries",
    metadata,
    sa.Column("namespace_id", sa.String(36), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("definition", Json, nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
)
part(entries, "metadef_namespace", "namespace_id", "{kind} {name}", "definition")


def _taken(kind: str, name: str) -> Conflict:
    return Conflict(f"A metadata definition {kind} with name={name} already exists in this namespace.")


def add(tx: Tx, entry: Entry) -> None:
    tx.insert(entries, entry, duplicate=_taken(entry.kind, entry.name))


def find(tx: Tx, namespace_id: str, kind: str, name: str) -> Entry | None:
    here = (entries.c.namespace_id == namespace_id, entries.c.kind == kind, entries.c.name == name)
    return tx.first(sa.select(entries).where(*here), Entry)


def of(tx: Tx, namespace_id: str, kind: str) -> list[Entry]:
    here = (entries.c.namespace_id == namespace_id, entries.c.kind == kind)
    return tx.all(sa.select(entries).where(*here).order_by(entries.c.name), Entry)


def count(tx: Tx, namespace_id: str, kind: str) -> int:
    here = (entries.c.namespace_id == namespace_id, entries.c.kind == kind)
    return int(tx.scalar(sa.select(sa.func.count()).select_from(entries).where(*here)))


def replace(tx: Tx, former: Entry, entry: Entry) -> None:
    here = (
        entries.c.namespace_id == former.namespace_id, entries.c.kind == former.kind, entries.c.name == former.name
    )  # fmt: skip
    change = entries.update().where(*here)
    values = {"name": entry.name, "definition": entry.definition, "updated_at": entry.updated_at}
    tx.execute(change.values(**values), duplicate=_taken(entry.kind, entry.name))


def delete(tx: Tx, namespace_id: str, kind: str | None = None, name: str | None = None) -> int:
    """One, all of a kind, or all."""
    statement = entries.delete().where(entries.c.namespace_id == namespace_id)
    if kind is not None:
        statement = statement.where(entries.c.kind == kind)
    if name is not None:
        statement = statement.where(entries.c.name == name)
    return tx.execute(statement)
