from typing import Any

import sqlalchemy as sa

from pilvi.identity.domain_configs.model import Config
from pilvi.kernel.db import Json, Tx, metadata
from pilvi.kernel.history import part

domain_configs = sa.Table(
    "identity_domain_configs",
    metadata,
    sa.Column("domain_id", sa.String(64), primary_key=True),
    sa.Column("config", Json, nullable=False),
)
part(domain_configs, "project", "domain_id", "domain configuration", "config", hidden=True)


def find(tx: Tx, domain_id: str) -> Config:
    query = sa.select(domain_configs.c.config).where(domain_configs.c.domain_id == domain_id)
    return tx.scalar(query) or {}


def everything(tx: Tx) -> list[tuple[str, Config]]:
    """Every domain that has a configuration."""
    rows: list[Any] = tx.all(sa.select(domain_configs.c.domain_id, domain_configs.c.config))
    return [(row.domain_id, row.config) for row in rows]


def put(tx: Tx, domain_id: str, config: Config) -> None:
    tx.upsert(domain_configs, {"domain_id": domain_id, "config": config}, keys=("domain_id",))


def delete(tx: Tx, domain_id: str) -> None:
    tx.execute(domain_configs.delete().where(domain_configs.c.domain_id == domain_id))
