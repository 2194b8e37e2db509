"""Who is who: the directory's id of each mirrored user and group, and where the entry is."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Tx, metadata

entries = sa.Table(
    "identity_directory_entries",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("domain_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("local_id", sa.String(255), nullable=False),
    sa.Column("dn", sa.Text, nullable=False),
    sa.UniqueConstraint("domain_id", "kind", "local_id", name="identity_directory_entries_local"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """An entry that is mirrored here under `id`."""

    id: str
    domain_id: str
    kind: str
    local_id: str
    dn: str


def find(tx: Tx, id: str) -> Known | None:
    return tx.first(sa.select(entries).where(entries.c.id == id), Known)


def of_domain(tx: Tx, domain_id: str, kind: str) -> list[Known]:
    return tx.all(sa.select(entries).where(entries.c.domain_id == domain_id, entries.c.kind == kind), Known)


def put(tx: Tx, known: Known) -> None:
    tx.upsert(entries, known, keys=("id",))


def forget(tx: Tx, **named: Any) -> None:
    where = [entries.c[name] == value for name, value in named.items()]
    tx.execute(entries.delete().where(*where))


def domains(tx: Tx) -> list[str]:
    return tx.scalars(sa.select(entries.c.domain_id).distinct())
