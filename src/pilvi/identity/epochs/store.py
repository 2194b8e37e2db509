"""One row with one number."""

import sqlalchemy as sa

from pilvi.kernel.db import Shaped, Tx, asked_first, metadata

epochs = sa.Table(
    "identity_epochs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
)

_CURRENT = Shaped(
    ("identity epoch",), lambda: sa.select(epochs.c.epoch).where(epochs.c.id == sa.literal_column("1")), {}
)
asked_first.append(_CURRENT)
_NEXT = epochs.update().where(epochs.c.id == 1).values(epoch=epochs.c.epoch + 1)


def current(tx: Tx) -> int:
    return tx.scalar(_CURRENT) or 0


def advance(tx: Tx) -> None:
    tx.execute(_NEXT)


def begin(tx: Tx, epoch: int) -> None:
    tx.insert(epochs, {"id": 1, "epoch": epoch})
