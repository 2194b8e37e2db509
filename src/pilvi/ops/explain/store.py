"""The few questions of `why` that no other room answers: what belongs to what."""

from typing import Any

import sqlalchemy as sa

from pilvi.kernel.db import Row, Tx
from pilvi.kernel.history import TRACKED

MOST = 100


def _table(kind: str) -> sa.Table:
    return TRACKED[kind].table


def ports_of_device(tx: Tx, device_id: str) -> list[Row]:
    return _few(tx, "port", device_id=device_id)


def floating_ips_of_port(tx: Tx, port_id: str) -> list[Row]:
    return _few(tx, "floatingip", port_id=port_id)


def subnets_of_network(tx: Tx, network_id: str) -> list[Row]:
    return _few(tx, "subnet", network_id=network_id)


def servers_of_host(tx: Tx, host: str) -> int:
    table = _table("server")
    return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(table.c.host == host)))


def _few(tx: Tx, kind: str, **where: Any) -> list[Row]:
    table = _table(kind)
    columns = [table.c[name] for name in dict.fromkeys(("id", *TRACKED[kind].fields))]
    conditions = [table.c[name] == value for name, value in where.items()]
    return tx.all(sa.select(*columns).where(*conditions).order_by(table.c.id).limit(MOST))
