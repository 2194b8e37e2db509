"""The verbs of subnet pools, and cutting subnets from them."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.address_scopes import service as address_scopes
from pilvi.network.networks import service as networks
from pilvi.network.quotas import service as quotas
from pilvi.network.rbac_policies import service as rbac
from pilvi.network.rbac_policies.model import SHARED
from pilvi.network.standard.model import conflict, fresh, invalid, missing
from pilvi.network.standard.service import check_attributes, check_revision
from pilvi.network.subnetpools import policy, store
from pilvi.network.subnetpools.model import Prefix, SubnetPool, check_free, choose, lengths, parse_prefixes
from pilvi.network.subnets import service as subnets
from pilvi.network.subnets.model import parse_prefix

change = store.change
quotas.usage["subnetpool"] = store.count


def _owner(tx: Tx, id: str) -> str | None:
    found = store.find(tx, id)
    return None if found is None else found.project_id


rbac.owners["subnetpool"] = _owner
address_scopes.users.append(lambda tx, scope_id: bool(store.of_scope(tx, scope_id)))


def get(ctx: Context, tx: Tx, id: str) -> SubnetPool:
    found, shared = store.find(tx, id), rbac.access(tx, "subnetpool", ctx.project_id).shared
    if found is None or not (ctx.is_admin or found.project_id == ctx.project_id or id in shared):
        raise missing("SubnetPool", id)
    found.shared = id in shared
    return found


def list_(ctx: Context, tx: Tx, query: Query) -> Page[SubnetPool]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    shared = rbac.access(tx, "subnetpool", ctx.project_id).shared
    where = [] if ctx.is_admin else [store.visible(ctx.project_id, sorted(shared))]
    if "shared" in query:
        among = store.among(sorted(shared))
        where.append(among if query.flag("shared") else ~among)
    page = store.page(tx, Query(query.with_changes({"shared": None})), where)
    for pool in page.items:
        pool.shared = pool.id in shared
    return page


def show(ctx: Context, tx: Tx, id: str) -> SubnetPool:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    return get(ctx, tx, id)


def create(ctx: Context, tx: Tx, project_id: str, values: Mapping[str, Any]) -> SubnetPool:
    policy.CREATE.check(ctx, project_id=project_id)
    check_attributes(ctx, policy.ATTRIBUTES, (n for n, v in values.items() if v), project_id=project_id)
    quotas.reserve(tx, project_id, "subnetpool")
    prefixes = parse_prefixes(values["prefixes"])
    version = prefixes[0].version
    low, high, usual = lengths(version, values["min_prefixlen"], values["max_prefixlen"], values["default_prefixlen"])
    pool = SubnetPool(
        **fresh(project_id, name=values["name"], description=values["description"]),
        prefixes=[str(prefix) for prefix in prefixes], ip_version=version, default_prefixlen=usual, min_prefixlen=low,
        max_prefixlen=high, default_quota=values["default_quota"], address_scope_id=values["address_scope_id"],
        is_default=values["is_default"], shared=values["shared"],
    )  # fmt: skip
    _check_scope(ctx, tx, pool)
    _check_default(tx, pool)
    store.add(tx, pool)
    if pool.shared:
        rbac.share_with_everybody(tx, "subnetpool", pool.id, project_id, action=SHARED, on=True)
    ctx.about("subnetpool", pool.id, pool.name)
    return pool


def _check_default(tx: Tx, pool: SubnetPool) -> None:
    if pool.is_default:
        other = store.default(tx, pool.ip_version)
        if other is not None and other.id != pool.id:
            raise invalid(f"A default subnetpool for IPv{pool.ip_version} exists: {other.id}.")


def _check_scope(ctx: Context, tx: Tx, pool: SubnetPool) -> None:
    """Pools of one scope have the same IP version and do not overlap."""
    if pool.address_scope_id is None:
        return
    scope = address_scopes.get(ctx, tx, pool.address_scope_id)
    if scope.ip_version != pool.ip_version:
        raise BadRequest(
            f"Illegal subnetpool association: subnetpool {pool.id} cannot associate with address scope {scope.id} "
            "because of its ip_version.",
            type="IllegalSubnetPoolIpVersionAssociation",
        )
    mine = [ipaddress.ip_network(text) for text in pool.prefixes]
    for other in store.of_scope(tx, scope.id):
        theirs = [ipaddress.ip_network(text) for text in other.prefixes]
        if other.id != pool.id and any(a.overlaps(b) for a in mine for b in theirs):
            raise conflict(
                "AddressScopePrefixConflict",
                f"Failed to associate address scope: subnetpools within an address scope must have unique prefixes; "
                f"see subnetpool {other.id}.",
            )


def update(ctx: Context, tx: Tx, id: str, values: Mapping[str, Any]) -> SubnetPool:
    pool = get(ctx, tx, id)
    policy.UPDATE.check(ctx, project_id=pool.project_id)
    check_revision(ctx, pool)
    check_attributes(ctx, policy.ATTRIBUTES, (n for n in values if values[n] != getattr(pool, n)),
                     project_id=pool.project_id)  # fmt: skip
    changes = dict(values)
    if "prefixes" in changes:
        changes["prefixes"] = _grown(pool, parse_prefixes(changes["prefixes"]))
    changed = {name: changes.get(name, getattr(pool, name)) for name in ("min_prefixlen", "max_prefixlen")}
    usual = changes.get("default_prefixlen", max(changed["min_prefixlen"], pool.default_prefixlen))
    low, high, default = lengths(pool.ip_version, changed["min_prefixlen"], changed["max_prefixlen"], usual)
    changes |= {"min_prefixlen": low, "max_prefixlen": high, "default_prefixlen": default}
    for name, value in changes.items():
        setattr(pool, name, value)
    _check_scope(ctx, tx, pool)
    _check_default(tx, pool)
    shared = changes.pop("shared", None)
    if shared is not None:
        rbac.share_with_everybody(tx, "subnetpool", id, pool.project_id, action=SHARED, on=shared)
    store.change(tx, id, changes)
    ctx.about("subnetpool", id, pool.name)
    return get(ctx, tx, id)


def _grown(pool: SubnetPool, prefixes: list[Prefix]) -> list[str]:
    """Prefixes may be added, never taken away: subnets may come from them."""
    for text in pool.prefixes:
        old = ipaddress.ip_network(text)
        if not any(p.version == old.version and old.network_address in p and old.broadcast_address in p
                   for p in prefixes):  # fmt: skip
            raise BadRequest(
                f"Illegal update to prefixes: existing prefix {text} must remain in the pool.",
                type="IllegalSubnetPoolPrefixUpdate",
            )
    return [str(prefix) for prefix in prefixes]


def delete(ctx: Context, tx: Tx, id: str) -> None:
    pool = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=pool.project_id)
    check_revision(ctx, pool)
    if subnets.of_pool(tx, id):
        text = "Unable to complete operation. Subnet pool has existing allocations"
        raise conflict("SubnetPoolDeleteError", f"Unable to delete subnet pool: {text}.")
    rbac.forget(tx, id)
    store.delete(tx, id)
    ctx.about("subnetpool", id, pool.name)


# ---- for subnets -------------------------------------------------------------------------------------------------


def cut(ctx: Context, tx: Tx, project_id: str, values: dict[str, Any]) -> Prefix:
    """A prefix for a new subnet: the one asked for, or the first free one of the length asked for."""
    pool = _pool_for(ctx, tx, values)
    values["subnetpool_id"] = pool.id
    if values["ip_version"] is not None and values["ip_version"] != pool.ip_version:
        raise BadRequest(
            f"Cannot allocate IPv{values['ip_version']} subnet from IPv{pool.ip_version} subnet pool.",
            type="SubnetPoolIpVersionMismatch",
        )
    tx.lock("subnetpool", pool.id)
    held = subnets.of_pool(tx, pool.id)
    used = [subnet.cidr for subnet in held]
    if values["cidr"] is not None:
        prefix = parse_prefix(values["cidr"], pool.ip_version)
        check_free(pool, used, prefix)
    else:
        prefix = choose(pool, used, values["prefixlen"] if values["prefixlen"] is not None else pool.default_prefixlen)
    mine = [subnet.cidr for subnet in held if subnet.project_id == project_id]
    _check_pool_quota(pool, mine, prefix)
    return prefix


def _check_pool_quota(pool: SubnetPool, mine: list[str], prefix: Prefix) -> None:
    """Counted in addresses for IPv4 and in /64 networks for IPv6."""
    if pool.default_quota is None:
        return
    unit = 1 if pool.ip_version == 4 else 1 << 64
    used = sum(max(1, ipaddress.ip_network(cidr).num_addresses // unit) for cidr in mine)
    if used + max(1, prefix.num_addresses // unit) > pool.default_quota:
        raise conflict("SubnetPoolQuotaExceeded", "Per-tenant subnet pool prefix quota exceeded.")


def _pool_for(ctx: Context, tx: Tx, values: Mapping[str, Any]) -> SubnetPool:
    if values["subnetpool_id"] is not None:
        return get(ctx, tx, values["subnetpool_id"])
    pool = store.default(tx, values["ip_version"])
    if pool is None:
        raise invalid(f"No default subnetpool found for IPv{values['ip_version']}.")
    return pool


def _scopes_of(tx: Tx, network_ids: list[str]) -> dict[str, dict[int, str]]:
    held = subnets.pools_by_network(tx, network_ids)
    scopes = store.scopes(tx, sorted({pool for _, _, pool in held})) if held else {}
    found: dict[str, dict[int, str]] = {}
    for network_id, version, pool in held:
        if pool in scopes:
            found.setdefault(network_id, {})[version] = scopes[pool]
    return found


networks.scopes_of.append(_scopes_of)
subnets.from_pool.append(cut)
