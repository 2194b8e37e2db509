from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.epochs import service as epochs
from pilvi.identity.services import policy, store
from pilvi.identity.services.model import Service
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def get(tx: Tx, id: str) -> Service:
    service = store.find(tx, id)
    if service is None:
        raise NotFound(f"Could not find service: {id}.")
    return service


def everything(tx: Tx) -> list[Service]:
    return store.everything(tx)


def show(ctx: Context, tx: Tx, id: str) -> Service:
    policy.SHOW.check(ctx)
    return get(tx, id)


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Service]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def create(ctx: Context, tx: Tx, service: Service) -> Service:
    policy.CREATE.check(ctx)
    return add(tx, service)


def add(tx: Tx, service: Service) -> Service:
    service = replace(service, id=ids.hexid())
    store.add(tx, service)
    epochs.bump(tx)
    return service


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Service:
    policy.UPDATE.check(ctx)
    service = get(tx, id)
    if "extra" in changes:
        changes["extra"] = {**service.extra, **changes["extra"]}
    if changes:
        store.update(tx, id, changes)
        epochs.bump(tx)
    return replace(service, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    get(tx, id)
    deletions.service.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)
