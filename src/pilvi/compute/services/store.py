"""The only SQL for what operators decided about hosts."""

import sqlalchemy as sa

from pilvi.compute.services.model import Setting
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.history import track

settings = sa.Table(
    "compute_services",
    metadata,
    sa.Column("host", sa.String(255), primary_key=True),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("disabled_reason", sa.String(255), nullable=True),
    sa.Column("forced_down", sa.Boolean, nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
)
track(settings, "compute_service", "disabled disabled_reason forced_down", name="host", project="", id="host")


def all_settings(tx: Tx) -> list[Setting]:
    return tx.all(sa.select(settings), Setting)


def put(tx: Tx, setting: Setting) -> None:
    tx.upsert(settings, setting, keys=("host",))


def delete(tx: Tx, host: str) -> None:
    tx.execute(settings.delete().where(settings.c.host == host))
