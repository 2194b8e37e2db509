from typing import Any

import sqlalchemy as sa

from pilvi.identity.service_providers.model import ServiceProvider
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.errors import Conflict
from pilvi.kernel.filters import page
from pilvi.kernel.history import track
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

MOST_IN_TOKENS = 100
providers = sa.Table(
    "identity_service_providers",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("auth_url", sa.String(256), nullable=False),
    sa.Column("sp_url", sa.String(256), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("relay_state_prefix", sa.String(256), nullable=False),
)
track(providers, "service_provider", "auth_url sp_url enabled description relay_state_prefix", name="id", project="")


def add(tx: Tx, provider: ServiceProvider) -> None:
    tx.insert(providers, provider, duplicate=Conflict(f"There is a service provider {provider.id} already."))


def find(tx: Tx, id: str) -> ServiceProvider | None:
    return tx.first(sa.select(providers).where(providers.c.id == id), ServiceProvider)


def search(tx: Tx, query: Query) -> Page[ServiceProvider]:
    return page(tx, providers, ServiceProvider, query, {"id": providers.c.id, "enabled": providers.c.enabled})


def enabled(tx: Tx) -> list[ServiceProvider]:
    query = sa.select(providers).where(providers.c.enabled).order_by(providers.c.id).limit(MOST_IN_TOKENS)
    return tx.all(query, ServiceProvider)


def update(tx: Tx, id: str, changes: dict[str, Any]) -> None:
    tx.execute(providers.update().where(providers.c.id == id).values(changes))


def delete(tx: Tx, id: str) -> None:
    tx.execute(providers.delete().where(providers.c.id == id))
