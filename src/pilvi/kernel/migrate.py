"""Numbered, linear migrations per service, for both engines, and what a fresh schema would be.

A migration is `NNNN_name.sqlite.sql` beside `NNNN_name.postgresql.sql` in `<service>/migrations/`. Each one runs once,
in order, and must work while the previous release still runs (docs/develop/migrations.md).
"""

from dataclasses import dataclass
from functools import partial
from importlib import resources

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from pilvi.kernel import clock
from pilvi.kernel.db import Database, Row, Tx, metadata
from pilvi.kernel.facts import PARTITIONED

applied = sa.Table(
    "kernel_migrations",
    metadata,
    sa.Column("service", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("applied_at", sa.String(27), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Migration:
    service: str
    name: str
    sql: str


def known(services: list[str], engine: str) -> list[Migration]:
    """The migrations of these services for an engine, in the order in which they run."""
    found = []
    for service in services:
        folder = resources.files(f"pilvi.{service}") / "migrations"
        if not folder.is_dir():
            continue
        suffix = f".{engine}.sql"
        names = sorted(f.name for f in folder.iterdir() if f.name.endswith(suffix))
        found += [Migration(service, n.removesuffix(suffix), (folder / n).read_text()) for n in names]
    return found


def migrate(database: Database, services: list[str]) -> list[Migration]:
    """Bring the schema up to date; returns what was applied."""
    engine = database.compiler.dialect.name
    database.script(_create(applied, database))
    rows: list[Row] = database.read(lambda tx: tx.all(sa.select(applied)))
    done = {(row.service, row.name) for row in rows}
    todo = [m for m in known(services, engine) if (m.service, m.name) not in done]
    for migration in todo:
        database.write(partial(_apply, migration=migration))
    return todo


def _apply(tx: Tx, migration: Migration) -> None:
    for statement in migration.sql.split(";\n"):
        if statement.strip():
            tx._connection.run(statement, {} if not tx.is_postgresql else None)
    row = {"service": migration.service, "name": migration.name, "applied_at": clock.timestamp()}
    tx.insert(applied, row)


def _create(table: sa.Table, database: Database) -> str:
    return str(CreateTable(table, if_not_exists=True).compile(dialect=database.compiler.dialect)).strip() + ";\n"


def fresh(database: Database, services: list[str]) -> str:
    """The whole schema of these services as the tables declare it now."""
    return "".join(ddl(service, database.compiler.dialect) for service in services)


def ddl(service: str, dialect: Dialect) -> str:
    """The tables and indexes of one service: what its first migration holds."""
    parts = []
    for table in metadata.sorted_tables:
        if not table.name.startswith(service + "_") or table is applied:
            continue
        parts += _table(table, dialect)
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        parts += [str(CreateIndex(index).compile(dialect=dialect)).strip() for index in indexes]
    lines = [line.rstrip() for part in parts for line in (part + ";").splitlines()]
    return "\n".join(lines) + "\n" if lines else ""


def _table(table: sa.Table, dialect: Dialect) -> list[str]:
    """The table; on PostgreSQL in partitions where it asks for them, with one for what belongs to no other."""
    text = str(CreateTable(table).compile(dialect=dialect)).strip()
    column = table.info.get(PARTITIONED)
    if column is None or dialect.name != "postgresql":
        return [text]
    keys = ", ".join(key.name for key in table.primary_key)
    text = text.replace(f"PRIMARY KEY ({keys})", f"PRIMARY KEY ({keys}, {column})")
    return [
        f"{text} PARTITION BY RANGE ({column})",
        f"CREATE TABLE {table.name}_rest PARTITION OF {table.name} DEFAULT",
    ]
