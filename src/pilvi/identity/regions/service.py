from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.epochs import service as epochs
from pilvi.identity.regions import policy, store
from pilvi.identity.regions.model import Region
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def find(tx: Tx, id: str) -> Region | None:
    return store.find(tx, id)


def get(tx: Tx, id: str) -> Region:
    region = store.find(tx, id)
    if region is None:
        raise NotFound(f"Could not find region: {id}.")
    return region


def show(ctx: Context, tx: Tx, id: str) -> Region:
    policy.SHOW.check(ctx)
    return get(tx, id)


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Region]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def create(ctx: Context, tx: Tx, region: Region) -> Region:
    policy.CREATE.check(ctx)
    if region.parent_region_id:
        get(tx, region.parent_region_id)
    return add(tx, region)


def add(tx: Tx, region: Region) -> Region:
    region = replace(region, id=region.id or ids.hexid())
    store.add(tx, region)
    return region


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Region:
    policy.UPDATE.check(ctx)
    region = get(tx, id)
    parent_id = changes.get("parent_region_id")
    while parent_id:
        if parent_id == id:
            raise BadRequest(f"Region {id} cannot be below itself.")
        parent_id = get(tx, parent_id).parent_region_id
    if "extra" in changes:
        changes["extra"] = {**region.extra, **changes["extra"]}
    if changes:
        store.update(tx, id, changes)
    return replace(region, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    get(tx, id)
    if store.has_children(tx, id):
        raise Forbidden(f"Region {id} has regions below it; delete them first.")
    deletions.region.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)
