from typing import Any

import sqlalchemy as sa

from pilvi.kernel import clock
from pilvi.kernel.db import Tx, metadata

keys = sa.Table(
    "identity_keys",
    metadata,
    sa.Column("purpose", sa.String(16), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("secret", sa.String(255), nullable=False),
    sa.Column("created_at", sa.String(27), nullable=False),
)


def newest_first(tx: Tx, purpose: str) -> list[str]:
    query = sa.select(keys.c.secret).where(keys.c.purpose == purpose).order_by(keys.c.number.desc())
    return tx.scalars(query)


def everything(tx: Tx) -> list[tuple[str, int, str]]:
    """Purpose, number and text of each key."""
    rows: list[Any] = tx.all(sa.select(keys).order_by(keys.c.purpose, keys.c.number))
    return [(row.purpose, row.number, row.secret) for row in rows]


def replace(tx: Tx, purpose: str, number: int, secret: str) -> None:
    tx.execute(keys.update().where(keys.c.purpose == purpose, keys.c.number == number).values(secret=secret))


def add(tx: Tx, purpose: str, secret: str) -> int:
    last = tx.scalar(sa.select(sa.func.max(keys.c.number)).where(keys.c.purpose == purpose)) or 0
    row = {"purpose": purpose, "number": last + 1, "secret": secret, "created_at": clock.timestamp()}
    tx.insert(keys, row)
    return int(last) + 1


def newest_at(tx: Tx, purpose: str, moment: str) -> int:
    """The number of the key that was the newest at this time; 0 when there was none."""
    query = sa.select(sa.func.max(keys.c.number)).where(keys.c.purpose == purpose, keys.c.created_at <= moment)
    return tx.scalar(query) or 0


def drop_before(tx: Tx, purpose: str, number: int) -> int:
    return tx.execute(keys.delete().where(keys.c.purpose == purpose, keys.c.number < number))
