"""What can be done with registered limits."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from pilvi.identity import deletions
from pilvi.identity.regions import service as regions
from pilvi.identity.registered_limits import policy, store
from pilvi.identity.registered_limits.model import RegisteredLimit
from pilvi.identity.services import service as services
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query


def get(tx: Tx, id: str) -> RegisteredLimit:
    limit = store.find(tx, id)
    if limit is None:
        raise NotFound(f"Could not find registered limit for {id}.")
    return limit


def find_same(tx: Tx, service_id: str, region_id: str | None, resource_name: str) -> RegisteredLimit | None:
    return store.find_same(tx, service_id, region_id, resource_name)


def matching(tx: Tx, query: Query) -> list[RegisteredLimit]:
    """Those of the service, region and resource that a query names."""
    wanted = query.filters(("service_id", "region_id", "resource_name"))
    return store.search(tx, Query(urlencode(wanted, doseq=True))).items


def check_place(tx: Tx, service_id: str, region_id: str | None) -> None:
    """Service and region are there; a wrong one is the request's fault, not something missing at this address."""
    try:
        services.get(tx, service_id)
        if region_id is not None:
            regions.get(tx, region_id)
    except NotFound as fault:
        raise BadRequest(fault.message) from None


def list_all(ctx: Context, tx: Tx, query: Query) -> Page[RegisteredLimit]:
    policy.LIST.check(ctx)
    return store.search(tx, query)


def show(ctx: Context, tx: Tx, id: str) -> RegisteredLimit:
    policy.SHOW.check(ctx)
    return get(tx, id)


def create(ctx: Context, tx: Tx, wanted: list[RegisteredLimit]) -> list[RegisteredLimit]:
    policy.CREATE.check(ctx)
    return [_add(tx, replace(limit, id=ids.hexid())) for limit in wanted]


def _add(tx: Tx, limit: RegisteredLimit) -> RegisteredLimit:
    check_place(tx, limit.service_id, limit.region_id)
    _check_new(tx, limit)
    store.add(tx, limit)
    return limit


def _check_new(tx: Tx, limit: RegisteredLimit) -> None:
    same = store.find_same(tx, limit.service_id, limit.region_id, limit.resource_name)
    if same is not None and same.id != limit.id:
        raise Conflict(f"There is a registered limit of {limit.resource_name} for this service and region already.")


def update(ctx: Context, tx: Tx, id: str, changes: dict[str, Any]) -> RegisteredLimit:
    policy.UPDATE.check(ctx)
    before = get(tx, id)
    limit = replace(before, **changes)
    check_place(tx, limit.service_id, limit.region_id)
    _check_new(tx, limit)
    if {"service_id", "region_id", "resource_name"} & set(changes):
        deletions.registered_limit.announce(tx, id)
    if changes:
        store.update(tx, id, changes)
    return limit


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    get(tx, id)
    deletions.registered_limit.announce(tx, id)
    store.delete(tx, id)
