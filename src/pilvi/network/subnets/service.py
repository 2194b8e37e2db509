"""The verbs of subnets."""

from collections.abc import Callable
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.addresses import service as addresses
from pilvi.network.networks import service as networks
from pilvi.network.networks.model import Network
from pilvi.network.quotas import service as quotas
from pilvi.network.standard.model import conflict, fresh, invalid, missing
from pilvi.network.standard.service import check_revision
from pilvi.network.subnets import policy, store
from pilvi.network.subnets.model import (
    Prefix,
    Subnet,
    address,
    check_apart,
    check_gateway,
    check_modes,
    check_nameservers,
    check_pools,
    check_routes,
    default_gateway,
    default_pools,
    parse_prefix,
)

arrived: list[Callable[[Tx, Network, Subnet], None]] = []
"""Told of a new subnet: ports that make their addresses themselves get one."""
changing: list[Callable[[Tx, Subnet, dict[str, Any]], None]] = []
"""Told before a subnet changes: whoever relies on the old values raises."""
changed: list[Callable[[Tx, Subnet], None]] = []
leaving: list[Callable[[Context, Tx, Subnet], None]] = []
"""Told that a subnet goes: ports give back its addresses, or raise SubnetInUse."""
from_pool: list[Callable[[Context, Tx, str, dict[str, Any]], Prefix]] = []
"""How a subnet pool gives a prefix: project and the values asked for."""

quotas.usage["subnet"] = store.count
networks.subnets_of.append(store.ids_by_network)

find = store.find
find_many = store.find_many
change = store.change
of_networks = store.of_networks
of_pool = store.of_pool
pools_by_network = store.pools_by_network


def delete_with_network(ctx: Context, tx: Tx, network: Network) -> None:
    for subnet in store.of_networks(tx, [network.id]):
        _remove(ctx, tx, subnet)


def get(ctx: Context, tx: Tx, id: str) -> Subnet:
    """A subnet that the caller may see, else SubnetNotFound."""
    found, reach = store.find(tx, id), networks.access(tx, ctx.project_id)
    may = found is not None and (
        ctx.is_admin or found.project_id == ctx.project_id or found.network_id in reach.shared | reach.external
    )
    if found is None or not may:
        raise missing("Subnet", id)
    found.external = found.network_id in reach.external
    return found


def list_(ctx: Context, tx: Tx, query: Query) -> Page[Subnet]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    reach = networks.access(tx, ctx.project_id)
    where = [] if ctx.is_admin else [store.visible(ctx.project_id, reach.all)]
    if "router:external" in query:
        among = store.in_networks(sorted(reach.external))
        where.append(among if query.flag("router:external") else ~among)
    if "shared" in query:
        among = store.in_networks(sorted(reach.shared))
        where.append(among if query.flag("shared") else ~among)
    page = store.page(tx, Query(query.with_changes({"router:external": None, "shared": None})), where)
    for subnet in page.items:
        subnet.external = subnet.network_id in reach.external
    return page


def show(ctx: Context, tx: Tx, id: str) -> Subnet:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    return get(ctx, tx, id)


def create(ctx: Context, tx: Tx, project_id: str, values: dict[str, Any], *, given: frozenset[str]) -> Subnet:
    network = networks.get(ctx, tx, values["network_id"])
    policy.CREATE.check(ctx, project_id=network.project_id)
    quotas.reserve(tx, project_id, "subnet")
    tx.lock("network", network.id)
    prefix = _prefix(ctx, tx, project_id, values)
    version = prefix.version
    check_modes(version, values["enable_dhcp"], values["ipv6_ra_mode"], values["ipv6_address_mode"], prefix)
    check_apart(prefix, store.of_networks(tx, [network.id]), network.id)
    gateway = _gateway(prefix, values["gateway_ip"], was_given="gateway_ip" in given)
    pools = values["allocation_pools"]
    subnet = Subnet(
        **fresh(project_id, name=values["name"], description=values["description"]), network_id=network.id,
        ip_version=version, cidr=str(prefix), gateway_ip=gateway, enable_dhcp=values["enable_dhcp"],
        ipv6_ra_mode=values["ipv6_ra_mode"], ipv6_address_mode=values["ipv6_address_mode"],
        subnetpool_id=values["subnetpool_id"],
        allocation_pools=default_pools(prefix, gateway) if pools is None else check_pools(prefix, pools, gateway),
        dns_nameservers=check_nameservers(values["dns_nameservers"] or []),
        host_routes=check_routes(values["host_routes"] or [], version), service_types=values["service_types"] or [],
        dns_publish_fixed_ip=values["dns_publish_fixed_ip"], external=network.external,
    )  # fmt: skip
    store.add(tx, subnet)
    for tell in arrived:
        tell(tx, network, subnet)
    ctx.about("subnet", subnet.id, subnet.name)
    return subnet


def _prefix(ctx: Context, tx: Tx, project_id: str, values: dict[str, Any]) -> Prefix:
    if values["subnetpool_id"] is not None or values["use_default_subnetpool"]:
        return from_pool[0](ctx, tx, project_id, values)
    if values["cidr"] is None:
        raise invalid("a subnetpool must be specified in the absence of a cidr")
    if values["prefixlen"] is not None:
        raise invalid("prefixlen needs a subnetpool_id; a cidr has its own length.")
    return parse_prefix(values["cidr"], values["ip_version"])


def _gateway(prefix: Prefix, asked: str | None, *, was_given: bool) -> str | None:
    if not was_given:
        return default_gateway(prefix)
    if asked is None:
        return None
    gateway = address(asked, prefix.version, "gateway_ip")
    check_gateway(prefix, gateway)
    return gateway


def update(ctx: Context, tx: Tx, id: str, values: dict[str, Any]) -> Subnet:
    subnet = get(ctx, tx, id)
    policy.UPDATE.check(ctx, project_id=subnet.project_id)
    check_revision(ctx, subnet)
    prefix = parse_prefix(subnet.cidr, subnet.ip_version)
    if "gateway_ip" in values:
        values["gateway_ip"] = _gateway(prefix, values["gateway_ip"], was_given=True)
    gateway = values.get("gateway_ip", subnet.gateway_ip)
    if values.get("allocation_pools") is not None:
        values["allocation_pools"] = check_pools(prefix, values["allocation_pools"], gateway)
    else:
        values.pop("allocation_pools", None)
        if "gateway_ip" in values:
            check_pools(prefix, subnet.allocation_pools, gateway)
    if "service_types" in values:
        values["service_types"] = values["service_types"] or []
    if "dns_nameservers" in values:
        values["dns_nameservers"] = check_nameservers(values["dns_nameservers"] or [])
    if "host_routes" in values:
        values["host_routes"] = check_routes(values["host_routes"] or [], subnet.ip_version)
    if "enable_dhcp" in values:
        check_modes(subnet.ip_version, values["enable_dhcp"], subnet.ipv6_ra_mode, subnet.ipv6_address_mode, prefix)
    for tell in changing:
        tell(tx, subnet, values)
    store.change(tx, id, values)
    found = get(ctx, tx, id)
    for told in changed:
        told(tx, found)
    ctx.about("subnet", id, subnet.name)
    return found


def delete(ctx: Context, tx: Tx, id: str) -> None:
    subnet = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=subnet.project_id)
    check_revision(ctx, subnet)
    tx.lock("network", subnet.network_id)
    _remove(ctx, tx, subnet)
    ctx.about("subnet", id, subnet.name)


def _remove(ctx: Context, tx: Tx, subnet: Subnet) -> None:
    tx.lock("subnet", subnet.id)
    for tell in leaving:
        tell(ctx, tx, subnet)
    if addresses.of_subnet(tx, subnet.id):
        raise conflict(
            "SubnetInUse", f"Unable to complete operation on subnet {subnet.id}: One or more ports have an IP "
            "allocation from this subnet."
        )  # fmt: skip
    addresses.forget_subnet(tx, subnet.id)
    store.delete(tx, subnet.id)
