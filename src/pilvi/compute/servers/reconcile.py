"""The control side of a server: it watches over transitions. The host makes them true and reports complete them."""

from pilvi.compute.servers import service
from pilvi.kernel.db import Database


def reconcile(database: Database, server_id: str) -> None:
    database.write(lambda tx: service.expire(tx, server_id))


sweep = service.transitional
