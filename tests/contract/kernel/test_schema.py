"""A fresh schema equals a migrated one: nobody upgrades into something that no test ever saw."""

from pilvi import main
from pilvi.kernel.db import Database
from pilvi.kernel.migrate import fresh, known, migrate
from pilvi.ops.make_migration import load_tables


def test_the_migrations_make_what_the_tables_declare(database: Database) -> None:
    engine = database.compiler.dialect.name
    for service in main.SCHEMA:
        load_tables(service)
    written = "".join(migration.sql for migration in known(list(main.SCHEMA), engine))
    assert written == fresh(database, list(main.SCHEMA)), "run `python -m pilvi.ops.make_migration`"


def test_migrating_again_does_nothing(database: Database) -> None:
    assert migrate(database, list(main.SCHEMA)) == []
