"""Writes the first migration of each service from its tables. Only while there is no release to migrate from.

python -m pilvi.ops.make_migration [SERVICE ...]
"""

import sys
from importlib import import_module
from pathlib import Path

from sqlalchemy.dialects import postgresql, sqlite

import pilvi
from pilvi.kernel.migrate import ddl

ROOT = Path(pilvi.__file__).parent


def main(services: list[str]) -> None:
    for service in services:
        load_tables(service)
        folder = ROOT / service / "migrations"
        folder.mkdir(exist_ok=True)
        for engine, dialect in (("sqlite", sqlite.dialect()), ("postgresql", postgresql.dialect())):  # type: ignore[no-untyped-call]
            (folder / f"0001_first.{engine}.sql").write_text(ddl(service, dialect))


def load_tables(service: str) -> None:
    """Import every module of a service that declares tables."""
    for path in sorted((ROOT / service).rglob("*.py")):
        if path.name == "store.py" or path.parent.name == "store" or service == "kernel":
            module = ".".join(("pilvi", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
            if module not in ("pilvi.kernel.postgres", "pilvi.kernel.sqlite"):
                import_module(module)


if __name__ == "__main__":
    main(sys.argv[1:] or ["kernel", "identity", "image", "placement", "compute", "network", "ops"])
