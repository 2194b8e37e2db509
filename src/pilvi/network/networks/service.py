"""The verbs of networks."""

from collections.abc import Callable, Mapping
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Conflict
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network import settings
from pilvi.network.networks import policy, store
from pilvi.network.networks.model import Network, check_provider
from pilvi.network.quotas import service as quotas
from pilvi.network.rbac_policies import service as rbac
from pilvi.network.rbac_policies.model import EXTERNAL, SHARED, Access, RbacPolicy
from pilvi.network.standard.model import conflict, fresh, invalid, missing
from pilvi.network.standard.service import check_attributes, check_revision, check_zones

scopes_of: list[Callable[[Tx, list[str]], dict[str, dict[int, str]]]] = []
"""The subnet pools' room puts here how it finds the address scopes that networks are in, by IP version."""
subnets_of: list[Callable[[Tx, list[str]], dict[str, list[str]]]] = []
"""The subnets' room puts here how it finds the subnets of networks."""
deleting: list[Callable[[Context, Tx, Network], None]] = []
"""Told that a network goes: they remove what is the network's own, or raise NetworkInUse."""
changed: list[Callable[[Tx, str], None]] = []
"""Told that hosts must look at a network again."""

external_users: list[Callable[[Tx, str], bool]] = []
"""Who knows whether routers or floating IPs need the network to stay external."""

quotas.usage["network"] = store.count
MTU_LEAST = 68


def _owner(tx: Tx, id: str) -> str | None:
    found = store.find(tx, id)
    return None if found is None else found.project_id


def _external_follows(tx: Tx, one: RbacPolicy, on: bool) -> None:
    """A network is external as long as any project may use it as external."""
    if one.action == EXTERNAL:
        left = any(p.action == EXTERNAL for p in rbac.of_object(tx, one.object_id))
        store.change(tx, one.object_id, {"external": on or left})


def _external_still_used(tx: Tx, one: RbacPolicy) -> None:
    """The last way to use a network as external ends only when no gateway is on it."""
    if one.action != EXTERNAL:
        return
    others = [p for p in rbac.of_object(tx, one.object_id) if p.action == EXTERNAL and p.id != one.id]
    if not others and any(users(tx, one.object_id) for users in external_users):
        raise conflict("RbacPolicyInUse", f"RBAC policy on object {one.object_id} cannot be removed: gateways use it.")


rbac.owners["network"] = _owner
rbac.changed.append(_external_follows)
rbac.withdrawn.append(_external_still_used)


# ---- finding -----------------------------------------------------------------------------------------------------


def access(tx: Tx, project_id: str) -> Access:
    return rbac.access(tx, "network", project_id)


def may_see(ctx: Context, network: Network, found: Access) -> bool:
    """Own, shared, external, or seen by an administrator."""
    return ctx.is_admin or network.project_id == ctx.project_id or network.id in found.shared | found.external


def get(ctx: Context, tx: Tx, id: str) -> Network:
    """A network that the caller may see, else NetworkNotFound."""
    found, reach = store.find(tx, id), access(tx, ctx.project_id)
    if found is None or not may_see(ctx, found, reach):
        raise missing("Network", id)
    found.shared = id in reach.shared
    return found


def find(tx: Tx, id: str) -> Network | None:
    return store.find(tx, id)


find_many = store.find_many
all_networks = store.all_networks
change = store.change
owned = store.owned
names = store.names


def _complete(tx: Tx, networks: list[Network]) -> list[Network]:
    subnets = subnets_of[0](tx, [network.id for network in networks]) if networks else {}
    having = [network.id for network in networks if network.id in subnets]
    scopes = scopes_of[0](tx, having) if having and scopes_of else {}
    for network in networks:
        network.subnets = subnets.get(network.id, [])
        network.scopes = scopes.get(network.id, {})
    return networks


def list_(ctx: Context, tx: Tx, query: Query) -> Page[Network]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    reach = access(tx, ctx.project_id)
    where = [] if ctx.is_admin else [store.visible(ctx.project_id, reach.all)]
    if "shared" in query:
        where.append(store.shared_is(query.all("shared"), sorted(reach.shared)))
        query = Query(query.with_changes({"shared": None}))
    page = store.page(tx, query, where)
    for network in page.items:
        network.shared = network.id in reach.shared
    _complete(tx, page.items)
    return page


def show(ctx: Context, tx: Tx, id: str) -> Network:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    return _complete(tx, [get(ctx, tx, id)])[0]


def usable_by_servers(tx: Tx, project_id: str) -> list[str]:
    """Networks with a subnet that servers of a project may be on without naming them: own ones, else shared ones."""
    own = store.owned_internal(tx, project_id)
    shared = sorted(access(tx, project_id).shared)
    candidates = own or [one.id for one in store.find_many(tx, shared) if not one.external]
    having = subnets_of[0](tx, candidates) if candidates else {}
    return [id for id in candidates if id in having]


# ---- changing ----------------------------------------------------------------------------------------------------


def create(ctx: Context, tx: Tx, project_id: str, values: Mapping[str, Any]) -> Network:
    policy.CREATE.check(ctx, project_id=project_id)
    check_attributes(ctx, policy.CREATE_ATTRIBUTES, (n for n, v in values.items() if v), project_id=project_id)
    check_zones(values["availability_zone_hints"])
    quotas.reserve(tx, project_id, "network")
    kind = check_provider(values["network_type"], values["physical_network"], values["segmentation_id"])
    segment = values["segmentation_id"] if kind == "flat" else values["segmentation_id"] or store.take_segment(tx)
    zone = store.take_zone(tx)
    if zone is None or (segment is None and kind != "flat"):
        raise conflict("NoNetworkAvailable", "Unable to create the network. No tenant network is available.")
    network = Network(
        **fresh(project_id, name=values["name"], description=values["description"]),
        admin_state_up=values["admin_state_up"], mtu=_mtu(kind, values["mtu"]), external=values["external"],
        is_default=values["is_default"], port_security_enabled=values["port_security_enabled"], network_type=kind,
        physical_network=values["physical_network"], segmentation_id=segment, zone=zone,
        dns_domain=values["dns_domain"], availability_zone_hints=values["availability_zone_hints"],
        shared=values["shared"],
    )  # fmt: skip
    if network.is_default:
        store.clear_default(tx)
    store.add(tx, network, _segment_taken(network))
    for action, on in ((SHARED, network.shared), (EXTERNAL, network.external)):
        if on:
            rbac.share_with_everybody(tx, "network", network.id, project_id, action=action, on=True)
    ctx.about("network", network.id, network.name)
    return network


def _segment_taken(network: Network) -> Conflict:
    return conflict("VniInUse", f"The VNI {network.segmentation_id} is in use by another network.")


def _mtu(kind: str, asked: int | None) -> int:
    most = settings.current.mtu if kind == "flat" else settings.current.overlay_mtu
    if not asked:
        return most
    if asked > most or asked < MTU_LEAST:
        raise invalid(f"Requested MTU is {asked}: it must be between {MTU_LEAST} and {most} on a {kind} network.")
    return asked


def update(ctx: Context, tx: Tx, id: str, values: dict[str, Any]) -> Network:
    network = get(ctx, tx, id)
    policy.UPDATE.check(ctx, project_id=network.project_id)
    check_attributes(ctx, policy.UPDATE_ATTRIBUTES, values, project_id=network.project_id)
    check_revision(ctx, network)
    for action, name in ((SHARED, "shared"), (EXTERNAL, "external")):
        if name in values:
            on = bool(values[name])
            if not on and name == "external" and network.external:
                _check_not_in_use_as_external(tx, network)
            rbac.share_with_everybody(tx, "network", id, network.project_id, action=action, on=on)
    values.pop("shared", None)
    if "mtu" in values:
        values["mtu"] = _mtu(network.network_type, values["mtu"])
    if values.get("is_default"):
        store.clear_default(tx)
    for name in ("network_type", "physical_network", "segmentation_id"):
        if name in values and values[name] != getattr(network, name):
            raise invalid("Plugin does not support updating provider attributes.")
        values.pop(name, None)
    store.change(tx, id, values)
    for tell in changed:
        tell(tx, id)
    ctx.about("network", id, network.name)
    return show(ctx, tx, id)


def _check_not_in_use_as_external(tx: Tx, network: Network) -> None:
    if any(users(tx, network.id) for users in external_users):
        text = f"External network {network.id} cannot be updated to be made non-external, since it has existing "
        raise conflict("ExternalNetworkInUse", text + "gateway ports.")


def delete(ctx: Context, tx: Tx, id: str) -> None:
    network = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=network.project_id)
    check_revision(ctx, network)
    tx.lock("network", id)
    for tell in deleting:
        tell(ctx, tx, network)
    rbac.forget(tx, id)
    store.delete(tx, id)
    ctx.about("network", id, network.name)
