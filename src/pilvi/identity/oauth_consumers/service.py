from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.keys import service as keys
from pilvi.identity.oauth_consumers import policy, store
from pilvi.identity.oauth_consumers.model import Consumer
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def _get(tx: Tx, id: str) -> Consumer:
    consumer = store.find(tx, id)
    if consumer is None:
        raise NotFound(f"Could not find consumer: {id}.")
    return consumer


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Consumer]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def show(ctx: Context, tx: Tx, id: str) -> Consumer:
    policy.SHOW.check(ctx)
    return _get(tx, id)


def create(ctx: Context, tx: Tx, description: str, extra: dict[str, Any]) -> tuple[Consumer, str]:
    """The consumer and its secret, which is shown only now."""
    policy.CREATE.check(ctx)
    secret = ids.hexid()
    encrypted = keys.cipher(tx, "credential").encrypt(secret.encode()).decode()
    consumer = Consumer(ids.hexid(), description, encrypted, extra)
    store.add(tx, consumer)
    return consumer, secret


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Consumer:
    policy.UPDATE.check(ctx)
    consumer = _get(tx, id)
    if "secret" in changes.get("extra", {}):
        raise BadRequest("The secret of a consumer cannot be changed; create another consumer.")
    if "extra" in changes:
        changes["extra"] = {**consumer.extra, **changes["extra"]}
    if changes:
        store.update(tx, id, changes)
    return replace(consumer, **changes)


def find_secret(tx: Tx, id: str) -> str | None:
    """With which a consumer signs."""
    consumer = store.find(tx, id)
    return keys.cipher(tx, "credential").decrypt(consumer.encrypted_secret.encode()).decode() if consumer else None


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    _get(tx, id)
    deletions.consumer.announce(tx, id)
    store.delete(tx, id)


HOLDER = keys.Holder(store.encrypted_after, lambda tx, key, text: store.update(tx, key, {"encrypted_secret": text}))
