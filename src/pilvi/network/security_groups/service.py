"""The verbs of security groups."""

from collections.abc import Callable, Mapping
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.quotas import service as quotas
from pilvi.network.rbac_policies import service as rbac
from pilvi.network.rbac_policies.model import SHARED, RbacPolicy
from pilvi.network.security_groups import policy, store
from pilvi.network.security_groups.model import DEFAULT, SecurityGroup
from pilvi.network.standard.model import conflict, fresh, invalid, missing
from pilvi.network.standard.service import check_revision

first_rules: list[Callable[[Tx, SecurityGroup], None]] = []
"""The rules' room puts here what a new group begins with."""
rules_of: list[Callable[[Tx, list[str]], dict[str, list[Any]]]] = []
forget_rules: list[Callable[[Tx, str], None]] = []
changed: list[Callable[[Tx, set[str]], None]] = []
"""Told that the meaning of groups changed, for the hosts that enforce them."""

quotas.usage["security_group"] = store.count

find_many = store.find_many
change = store.change
named = store.named
bind = store.bind
unbind = store.unbind
members = store.members
ports_with = store.ports_with
is_default = store.is_default
default_ids = store.default_ids


def _owner(tx: Tx, id: str) -> str | None:
    found = store.find(tx, id)
    return None if found is None else found.project_id


rbac.owners["security_group"] = _owner


def _still_used(tx: Tx, one: RbacPolicy) -> None:
    if one.object_type == "security_group" and one.action == SHARED and store.in_use(tx, one.object_id):
        raise conflict("RbacPolicyInUse", f"RBAC policy on object {one.object_id} cannot be removed: it is in use.")


rbac.withdrawn.append(_still_used)


def ensure_default(tx: Tx, project_id: str) -> str:
    """Every project has a default group from the first look on."""
    found = store.default_of(tx, project_id)
    if found is not None:
        return found
    tx.lock("default security group", project_id)
    found = store.default_of(tx, project_id)
    if found is not None:
        return found
    group = SecurityGroup(**fresh(project_id, name=DEFAULT, description="Default security group"), stateful=True)
    store.add(tx, group)
    store.set_default(tx, project_id, group.id)
    for make in first_rules:
        make(tx, group)
    return group.id


def get(ctx: Context, tx: Tx, id: str) -> SecurityGroup:
    """A group that the caller may use, else SecurityGroupNotFound."""
    found, shared = store.find(tx, id), rbac.access(tx, "security_group", ctx.project_id).shared
    may = found is not None and (ctx.is_admin or found.project_id == ctx.project_id or id in shared)
    if found is None or not may:
        raise missing("SecurityGroup", id)
    found.shared = id in shared
    return found


def check_usable(ctx: Context, tx: Tx, ids: list[str], project_id: str) -> None:
    """Every group exists and belongs to the project or is shared with it."""
    found = {group.id: group for group in store.find_many(tx, ids)} if ids else {}
    foreign = [id for id in ids if id not in found or found[id].project_id not in (project_id, ctx.project_id)]
    if not foreign:
        return
    shared = rbac.access(tx, "security_group", project_id).shared
    for id in foreign:
        if id not in found or not (ctx.is_admin or id in shared):
            raise missing("SecurityGroup", id)


def list_(ctx: Context, tx: Tx, query: Query) -> Page[SecurityGroup]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    for project_id in {ctx.project_id, *(query.all("project_id") if ctx.is_admin else ())} - {""}:
        ensure_default(tx, project_id)
    shared = rbac.access(tx, "security_group", ctx.project_id).shared
    where = [] if ctx.is_admin else [store.visible(ctx.project_id, sorted(shared))]
    if "shared" in query:
        among = store.among(sorted(shared))
        where.append(among if query.flag("shared") else ~among)
    page = store.page(tx, Query(query.with_changes({"shared": None})), where)
    rules = rules_of[0](tx, [group.id for group in page.items]) if page.items else {}
    for group in page.items:
        group.shared, group.rules = group.id in shared, rules.get(group.id, [])
    return page


def show(ctx: Context, tx: Tx, id: str) -> SecurityGroup:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    group = get(ctx, tx, id)
    group.rules = rules_of[0](tx, [id]).get(id, [])
    return group


def create(ctx: Context, tx: Tx, project_id: str, values: Mapping[str, Any]) -> SecurityGroup:
    policy.CREATE.check(ctx, project_id=project_id)
    ensure_default(tx, project_id)
    if values["name"].lower() == DEFAULT:
        raise conflict("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
    quotas.reserve(tx, project_id, "security_group")
    _check_stateful(values)
    group = SecurityGroup(**fresh(project_id, name=values["name"], description=values["description"]), stateful=True)
    store.add(tx, group)
    for make in first_rules:
        make(tx, group)
    group.rules = rules_of[0](tx, [group.id]).get(group.id, [])
    ctx.about("security_group", group.id, group.name)
    return group


def _check_stateful(values: Mapping[str, Any]) -> None:
    if not values.get("stateful", True):
        raise invalid("stateless security groups are not supported by this cloud's network driver.")


def update(ctx: Context, tx: Tx, id: str, values: Mapping[str, Any]) -> SecurityGroup:
    group = get(ctx, tx, id)
    policy.UPDATE.check(ctx, project_id=group.project_id)
    check_revision(ctx, group)
    _check_stateful(values)
    if "name" in values and values["name"] != group.name and store.is_default(tx, id):
        raise conflict("SecurityGroupCannotUpdateDefault", "Updating default security group not allowed.")
    if values.get("name", "").lower() == DEFAULT and not store.is_default(tx, id):
        raise conflict("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
    store.change(tx, id, values)
    if values.get("name", group.name) != group.name:  # Guests read it in their metadata.
        for tell in changed:
            tell(tx, {id})
    ctx.about("security_group", id, group.name)
    return show(ctx, tx, id)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    group = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=group.project_id)
    check_revision(ctx, group)
    if store.is_default(tx, id) and not ctx.is_admin:
        raise conflict("SecurityGroupCannotRemoveDefault", "Insufficient rights for removing default security group.")
    if store.in_use(tx, id):
        raise conflict("SecurityGroupInUse", f"Security Group {id} in use.")
    told = {id}
    for tell in changed:
        tell(tx, told)
    for forget in forget_rules:
        forget(tx, id)
    rbac.forget(tx, id)
    store.forget_default(tx, id)
    store.delete(tx, id)
    ctx.about("security_group", id, group.name)
