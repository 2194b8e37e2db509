"""The verbs of address scopes."""

from collections.abc import Callable, Mapping
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.address_scopes import policy, store
from pilvi.network.address_scopes.model import AddressScope
from pilvi.network.rbac_policies import service as rbac
from pilvi.network.rbac_policies.model import SHARED
from pilvi.network.standard.model import conflict, fresh, invalid, missing
from pilvi.network.standard.service import check_revision

users: list[Callable[[Tx, str], bool]] = []
"""Who knows whether subnet pools are in a scope."""

change = store.change


def _owner(tx: Tx, id: str) -> str | None:
    found = store.find(tx, id)
    return None if found is None else found.project_id


rbac.owners["address_scope"] = _owner


def get(ctx: Context, tx: Tx, id: str) -> AddressScope:
    found, shared = store.find(tx, id), rbac.access(tx, "address_scope", ctx.project_id).shared
    if found is None or not (ctx.is_admin or found.project_id == ctx.project_id or id in shared):
        raise missing("AddressScope", id)
    found.shared = id in shared
    return found


def list_(ctx: Context, tx: Tx, query: Query) -> Page[AddressScope]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    shared = rbac.access(tx, "address_scope", ctx.project_id).shared
    where = [] if ctx.is_admin else [store.visible(ctx.project_id, sorted(shared))]
    if "shared" in query:
        among = store.among(sorted(shared))
        where.append(among if query.flag("shared") else ~among)
    page = store.page(tx, Query(query.with_changes({"shared": None})), where)
    for scope in page.items:
        scope.shared = scope.id in shared
    return page


def show(ctx: Context, tx: Tx, id: str) -> AddressScope:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    return get(ctx, tx, id)


def create(ctx: Context, tx: Tx, project_id: str, values: Mapping[str, Any]) -> AddressScope:
    policy.CREATE.check(ctx, project_id=project_id)
    if values["shared"]:
        policy.SHARED.check(ctx, project_id=project_id)
    scope = AddressScope(
        **fresh(project_id, name=values["name"]), ip_version=values["ip_version"], shared=values["shared"]
    )
    store.add(tx, scope)
    if scope.shared:
        rbac.share_with_everybody(tx, "address_scope", scope.id, project_id, action=SHARED, on=True)
    ctx.about("address_scope", scope.id, scope.name)
    return scope


def update(ctx: Context, tx: Tx, id: str, values: Mapping[str, Any]) -> AddressScope:
    scope = get(ctx, tx, id)
    policy.UPDATE.check(ctx, project_id=scope.project_id)
    check_revision(ctx, scope)
    changes = dict(values)
    if "shared" in changes:
        shared = changes.pop("shared")
        policy.SHARED.check(ctx, project_id=scope.project_id)
        if scope.shared and not shared:
            raise invalid(f"Unable to update address scope {id}: Shared address scope can't be unshared")
        rbac.share_with_everybody(tx, "address_scope", id, scope.project_id, action=SHARED, on=shared)
    store.change(tx, id, changes)
    ctx.about("address_scope", id, scope.name)
    return get(ctx, tx, id)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    scope = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=scope.project_id)
    check_revision(ctx, scope)
    if any(has_pools(tx, id) for has_pools in users):
        raise conflict(
            "AddressScopeInUse",
            f"Unable to complete operation on address scope {id}. There are one or more subnet pools in use on the "
            "address scope",
        )
    rbac.forget(tx, id)
    store.delete(tx, id)
    ctx.about("address_scope", id, scope.name)
