"""Placement as on its first day, for files of the suite that each want an empty store.

python -m tests.acceptance.empty_placement /path/of/cloud.db | postgresql://…
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

EMPTIED = (
    "allocations", "consumers", "inventories", "provider_aggregates", "provider_traits", "providers"
)  # fmt: skip
SHORTENED = ("traits", "resource_classes")
"""Hold what the standard names, too."""


def statements() -> Iterable[str]:
    for table in EMPTIED:
        yield f"delete from placement_{table}"
    for table in SHORTENED:
        yield f"delete from placement_{table} where name like 'CUSTOM!_%' escape '!'"


def executor(database: str) -> Callable[[str], Any]:
    if database.startswith("postgresql"):
        import psycopg

        return psycopg.connect(database, autocommit=True).execute
    import apsw

    connection = apsw.Connection(database)
    connection.set_busy_timeout(20_000)
    return connection.execute


if __name__ == "__main__":
    execute = executor(sys.argv[1])
    execute("begin")
    for statement in statements():
        execute(statement)
    execute("commit")
