"""Routers that were made before there was a host get one."""

from pilvi.kernel.db import Database
from pilvi.network.routers import service


def reconcile(database: Database, router_id: str) -> None:
    database.write(lambda tx: service.settle(tx, router_id))


sweep = service.unplaced
