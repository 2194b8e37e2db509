from dataclasses import replace
from typing import Any

from pilvi.identity import deletions
from pilvi.identity.endpoints import policy, store
from pilvi.identity.endpoints.model import Endpoint, check_url
from pilvi.identity.epochs import service as epochs
from pilvi.identity.regions import service as regions
from pilvi.identity.regions.model import Region
from pilvi.identity.services import service as services
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def get(tx: Tx, id: str) -> Endpoint:
    endpoint = store.find(tx, id)
    if endpoint is None:
        raise NotFound(f"Could not find endpoint: {id}.")
    return endpoint


def everything(tx: Tx) -> list[Endpoint]:
    return store.everything(tx)


def show(ctx: Context, tx: Tx, id: str) -> Endpoint:
    policy.SHOW.check(ctx)
    return get(tx, id)


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[Endpoint]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def create(ctx: Context, tx: Tx, endpoint: Endpoint, legacy_region: str | None) -> Endpoint:
    """`legacy_region` is the old attribute `region`: a region of that name is made if there is none."""
    policy.CREATE.check(ctx)
    region_id = _region(tx, endpoint.region_id, legacy_region)
    return add(tx, replace(endpoint, region_id=region_id))


def _region(tx: Tx, id: str | None, legacy: str | None) -> str | None:
    if id:
        if regions.find(tx, id) is None:
            raise BadRequest(f"There is no region {id}; create it first.")
        return id
    if legacy and regions.find(tx, legacy) is None:
        regions.add(tx, Region(legacy, "", None))
    return legacy or None


def add(tx: Tx, endpoint: Endpoint) -> Endpoint:
    check_url(endpoint.url)
    _check_service(tx, endpoint.service_id)
    endpoint = replace(endpoint, id=ids.hexid())
    store.add(tx, endpoint)
    epochs.bump(tx)
    return endpoint


def move(tx: Tx, endpoint: Endpoint, url: str) -> None:
    """The cloud's own address changed."""
    store.update(tx, endpoint.id, {"url": url})
    epochs.bump(tx)


def _check_service(tx: Tx, id: str) -> None:
    try:
        services.get(tx, id)
    except NotFound:
        raise BadRequest(f"There is no service {id}.") from None


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> Endpoint:
    policy.UPDATE.check(ctx)
    endpoint = get(tx, id)
    legacy = changes.pop("region", None)
    if changes.get("region_id") or legacy:
        changes["region_id"] = _region(tx, changes.get("region_id"), legacy)
    if "url" in changes:
        check_url(changes["url"])
    if "service_id" in changes:
        _check_service(tx, changes["service_id"])
    if "extra" in changes:
        changes["extra"] = {**endpoint.extra, **changes["extra"]}
    if changes:
        store.update(tx, id, changes)
        epochs.bump(tx)
    return replace(endpoint, **changes)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    get(tx, id)
    remove(tx, id)


def remove(tx: Tx, id: str) -> None:
    deletions.endpoint.announce(tx, id)
    store.delete(tx, id)
    epochs.bump(tx)


@deletions.service
def _release_service(tx: Tx, service_id: str) -> None:
    for id in store.of_service(tx, service_id):
        remove(tx, id)


@deletions.region
def _check_region(tx: Tx, region_id: str) -> None:
    if store.in_region(tx, region_id):
        raise Forbidden(f"Region {region_id} has endpoints; move or delete them first.")
