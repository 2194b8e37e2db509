from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.policies import policy, store
from pilvi.identity.policies.model import PolicyBlob
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def get(tx: Tx, id: str) -> PolicyBlob:
    found = store.find(tx, id)
    if found is None:
        raise NotFound(f"Could not find policy: {id}.")
    return found


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[PolicyBlob]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def show(ctx: Context, tx: Tx, id: str) -> PolicyBlob:
    policy.SHOW.check(ctx)
    return get(tx, id)


def create(ctx: Context, tx: Tx, wanted: PolicyBlob) -> PolicyBlob:
    policy.CREATE.check(ctx)
    wanted = replace(wanted, id=ids.hexid())
    store.add(tx, wanted)
    return wanted


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> PolicyBlob:
    policy.UPDATE.check(ctx)
    found = get(tx, id)
    if "extra" in changes:
        changes["extra"] = {**found.extra, **changes["extra"]}
    if changes:
        store.update(tx, id, changes)
    return replace(found, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    get(tx, id)
    deletions.policy.announce(tx, id)
    store.delete(tx, id)
