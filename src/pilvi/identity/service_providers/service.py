from dataclasses import replace
from typing import Any

from pilvi.identity.epochs import service as epochs
from pilvi.identity.service_providers import policy, store
from pilvi.identity.service_providers.model import ServiceProvider
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def _get(tx: Tx, id: str) -> ServiceProvider:
    provider = store.find(tx, id)
    if provider is None:
        raise NotFound(f"Could not find Service Provider: {id}.")
    return provider


def find_enabled(tx: Tx, id: str) -> ServiceProvider:
    provider = _get(tx, id)
    if not provider.enabled:
        raise Forbidden(f"Service Provider {id} is disabled.")
    return provider


def enabled(tx: Tx) -> tuple[ServiceProvider, ...]:
    """Where users of this cloud may go; every token says so."""
    return epochs.cached(tx, ("service providers",), lambda: tuple(store.enabled(tx)))


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[ServiceProvider]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def show(ctx: Context, tx: Tx, id: str) -> ServiceProvider:
    policy.SHOW.check(ctx)
    return _get(tx, id)


def create(ctx: Context, tx: Tx, provider: ServiceProvider) -> ServiceProvider:
    policy.CREATE.check(ctx)
    store.add(tx, provider)
    epochs.bump(tx)
    return provider


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> ServiceProvider:
    policy.UPDATE.check(ctx)
    provider = _get(tx, id)
    if changes:
        store.update(tx, id, changes)
        epochs.bump(tx)
    return replace(provider, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    _get(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)
