"""The verbs of routers."""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from pilvi.kernel import hosts, work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound, NotYet
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.addresses import service as addresses
from pilvi.network.addresses.model import Wish
from pilvi.network.networks import service as networks
from pilvi.network.ports import service as ports
from pilvi.network.ports.model import GATEWAY, INTERFACE, Port
from pilvi.network.quotas import service as quotas
from pilvi.network.routers import policy, store
from pilvi.network.routers.model import Gateway, Router, check_routes, gateway_of, needs, parse_routes
from pilvi.network.standard.model import conflict, fresh, invalid, missing
from pilvi.network.standard.service import check_revision, check_zones
from pilvi.network.subnets import service as subnets
from pilvi.network.subnets.model import Subnet

gateway_users: list[Callable[[Tx, str], bool]] = []
"""Who knows whether floating IPs need a router's gateway."""
interface_users: list[Callable[[Tx, Router, Subnet], bool]] = []
"""Who knows whether floating IPs need a router's leg in a subnet."""

quotas.usage["router"] = store.count
networks.external_users.append(store.uses_gateway)

find = store.find
find_many = store.find_many
change = store.change
on_host = store.on_host
unplaced = store.unplaced
observe = store.observe


def _bad(message: str) -> BadRequest:
    return BadRequest(f"Bad router request: {message}", type="BadRequest")


def _complete(tx: Tx, found: list[Router]) -> list[Router]:
    gateways = {port.id: port for port in ports.find_many(tx, [r.gateway_port_id for r in found if r.gateway_port_id])}
    for router in found:
        port = gateways.get(router.gateway_port_id or "")
        router.gateway_ips = port.fixed_ips if port is not None else []
    return found


def get(ctx: Context, tx: Tx, id: str) -> Router:
    """A router of the caller's project, else RouterNotFound."""
    found = store.find(tx, id)
    if found is None or not (ctx.is_admin or found.project_id == ctx.project_id):
        raise missing("Router", id)
    return found


def list_(ctx: Context, tx: Tx, query: Query) -> Page[Router]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    page = store.page(tx, query, [] if ctx.is_admin else [store.of_project(ctx.project_id)])
    _complete(tx, page.items)
    return page


def show(ctx: Context, tx: Tx, id: str) -> Router:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    return _complete(tx, [get(ctx, tx, id)])[0]


def create(ctx: Context, tx: Tx, project_id: str, values: Mapping[str, Any]) -> Router:
    policy.CREATE.check(ctx, project_id=project_id)
    _check_kind(values)
    check_zones(values["availability_zone_hints"])
    quotas.reserve(tx, project_id, "router")
    router = Router(
        **fresh(project_id, name=values["name"], description=values["description"]),
        admin_state_up=values["admin_state_up"], status="ACTIVE", gateway_port_id=None, gateway_network_id=None,
        enable_snat=True, routes=[], host="", availability_zone_hints=values["availability_zone_hints"],
    )  # fmt: skip
    store.add(tx, router)
    _set_gateway(ctx, tx, router, gateway_of(values["external_gateway_info"]))
    if values["routes"]:
        _set_routes(tx, router, parse_routes(values["routes"]))
    _place(ctx, tx, router)
    ctx.about("router", router.id, router.name)
    return _reread(tx, router.id)


def _check_kind(values: Mapping[str, Any]) -> None:
    if values.get("distributed") or values.get("ha"):
        raise invalid("distributed and ha routers are not supported by this cloud.")


def _reread(tx: Tx, id: str) -> Router:
    found = store.find(tx, id)
    assert found is not None
    return _complete(tx, [found])[0]


def update(ctx: Context, tx: Tx, id: str, values: Mapping[str, Any]) -> Router:
    router = get(ctx, tx, id)
    policy.UPDATE.check(ctx, project_id=router.project_id)
    check_revision(ctx, router)
    _check_kind(values)
    tx.lock("router", id)
    if "external_gateway_info" in values:
        _set_gateway(ctx, tx, router, gateway_of(values["external_gateway_info"]))
    if "routes" in values:
        _set_routes(tx, router, parse_routes(values["routes"] or []))
    plain = {name: values[name] for name in ("name", "description", "admin_state_up") if name in values}
    store.change(tx, id, plain)
    _place(ctx, tx, router)
    ctx.about("router", id, router.name)
    return _reread(tx, id)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    router = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=router.project_id)
    check_revision(ctx, router)
    tx.lock("router", id)
    if interfaces(tx, id):
        raise conflict("RouterInUse", f"Router {id} still has ports")
    _drop_gateway(tx, router)
    if router.host:
        hosts.changed(tx, router.host)
    store.delete(tx, id)
    ctx.about("router", id, router.name)


def interfaces(tx: Tx, id: str) -> list[Port]:
    return ports.of_devices(tx, [id], INTERFACE)


def interfaces_of(tx: Tx, ids: list[str]) -> list[Port]:
    return ports.of_devices(tx, ids, INTERFACE) if ids else []


# ---- the gateway -------------------------------------------------------------------------------------------------


def _set_gateway(ctx: Context, tx: Tx, router: Router, wanted: Gateway | None) -> None:
    if wanted is None:
        if router.gateway_network_id is not None:
            _drop_gateway(tx, router)
        return
    if wanted.enable_snat is not None and wanted.enable_snat != router.enable_snat:
        policy.SNAT.check(ctx, project_id=router.project_id)
    if wanted.fixed_ips:
        policy.FIXED_IPS.check(ctx, project_id=router.project_id)
    network = networks.get(ctx, tx, wanted.network_id)
    if not network.external:
        raise _bad(f"Network {network.id} is not an external network")
    if router.gateway_network_id not in (None, network.id):
        _drop_gateway(tx, router)
    if router.gateway_network_id is None or wanted.fixed_ips:
        _move_gateway(tx, router, wanted)
    snat = router.enable_snat if wanted.enable_snat is None else wanted.enable_snat
    store.change(tx, router.id, {"enable_snat": snat})
    router.enable_snat = snat


def _move_gateway(tx: Tx, router: Router, wanted: Gateway) -> None:
    """A new gateway port; floating IPs need none of its addresses, so it may change under them."""
    network = networks.find(tx, wanted.network_id)
    assert network is not None
    outside = subnets.of_networks(tx, [network.id])
    for port in interfaces(tx, router.id):
        for subnet in subnets.find_many(tx, [fixed["subnet_id"] for fixed in port.fixed_ips]):
            _check_apart(subnet, outside)
    if router.gateway_port_id is not None:
        old = ports.find(tx, router.gateway_port_id)
        if old is not None:
            ports.remove(tx, old)
    wishes = [addresses.parse(one) for one in wanted.fixed_ips] if wanted.fixed_ips else None
    port = ports.make(tx, network, project_id="", device_id=router.id, device_owner=GATEWAY, wishes=wishes)
    if not port.fixed_ips and outside:
        raise _bad(f"No IPs available for external network {network.id}")
    if router.host:
        ports.bind(tx, port, router.host)
    changes = {"gateway_port_id": port.id, "gateway_network_id": network.id}
    store.change(tx, router.id, changes)
    router.gateway_port_id, router.gateway_network_id = port.id, network.id


def _drop_gateway(tx: Tx, router: Router) -> None:
    if router.gateway_port_id is None:
        return
    if any(users(tx, router.id) for users in gateway_users):
        raise conflict(
            "RouterExternalGatewayInUseByFloatingIp",
            f"Gateway cannot be updated for router {router.id}, since a gateway to external network "
            f"{router.gateway_network_id} is required by one or more floating IPs.",
        )
    port = ports.find(tx, router.gateway_port_id)
    if port is not None:
        ports.remove(tx, port)
    store.change(tx, router.id, {"gateway_port_id": None, "gateway_network_id": None, "enable_snat": True})
    router.gateway_port_id, router.gateway_network_id, router.enable_snat = None, None, True


def _check_apart(subnet: Subnet, others: list[Subnet]) -> None:
    mine = ipaddress.ip_network(subnet.cidr)
    for other in others:
        prefix = ipaddress.ip_network(other.cidr)
        if prefix.version == mine.version and other.id != subnet.id and prefix.overlaps(mine):
            raise _bad(f"Cidr {subnet.cidr} of subnet {subnet.id} overlaps with cidr {other.cidr} of subnet {other.id}")


# ---- routes ------------------------------------------------------------------------------------------------------


def _legs(tx: Tx, router: Router) -> tuple[list[str], list[str]]:
    """The prefixes that the router is in, and its own addresses."""
    plugs = [*interfaces(tx, router.id), *ports.find_many(tx, [router.gateway_port_id or ""])]
    fixed = [one for port in plugs for one in port.fixed_ips]
    cidrs = [subnet.cidr for subnet in subnets.find_many(tx, [one["subnet_id"] for one in fixed])]
    return cidrs, [one["ip_address"] for one in fixed]


def _set_routes(tx: Tx, router: Router, routes: list[dict[str, str]]) -> None:
    limit = quotas.limits_of(tx, router.project_id)["router_route"]
    if 0 <= limit < len(routes):
        raise BadRequest(
            f"Unable to complete operation for {router.id}. The number of routes exceeds the maximum {limit}.",
            type="RoutesExhausted",
        )
    check_routes(routes, *_legs(tx, router))
    store.change(tx, router.id, {"routes": routes})
    router.routes = routes


def add_routes(ctx: Context, tx: Tx, id: str, values: list[dict[str, str]]) -> Router:
    router = get(ctx, tx, id)
    policy.ADD_ROUTES.check(ctx, project_id=router.project_id)
    tx.lock("router", id)
    added = [route for route in parse_routes(values) if route not in router.routes]
    return _routes_changed(ctx, tx, router, [*router.routes, *added])


def remove_routes(ctx: Context, tx: Tx, id: str, values: list[dict[str, str]]) -> Router:
    router = get(ctx, tx, id)
    policy.REMOVE_ROUTES.check(ctx, project_id=router.project_id)
    tx.lock("router", id)
    gone = parse_routes(values)
    return _routes_changed(ctx, tx, router, [route for route in router.routes if route not in gone])


def _routes_changed(ctx: Context, tx: Tx, router: Router, routes: list[dict[str, str]]) -> Router:
    _set_routes(tx, router, routes)
    _place(ctx, tx, router)
    ctx.about("router", router.id, router.name)
    return _reread(tx, router.id)


# ---- interfaces --------------------------------------------------------------------------------------------------


def add_interface(ctx: Context, tx: Tx, id: str, *, subnet_id: str | None, port_id: str | None) -> dict[str, Any]:
    router = get(ctx, tx, id)
    policy.ADD_INTERFACE.check(ctx, project_id=router.project_id)
    if (subnet_id is None) == (port_id is None):
        raise _bad("Either subnet_id or port_id must be specified, and not both.")
    tx.lock("router", id)
    port = _leg_in(ctx, tx, router, subnet_id) if subnet_id is not None else _leg_by(ctx, tx, router, port_id or "")
    if router.host:
        ports.bind(tx, port, router.host)
    _place(ctx, tx, router)
    store.change(tx, id, {})
    ctx.about("router", id, router.name)
    return _interface(router, port)


def _interface(router: Router, port: Port, subnet_id: str | None = None) -> dict[str, Any]:
    held = [fixed["subnet_id"] for fixed in port.fixed_ips]
    return {
        "id": router.id, "tenant_id": router.project_id, "project_id": router.project_id, "port_id": port.id,
        "network_id": port.network_id, "subnet_id": subnet_id or held[0], "subnet_ids": held,
        "tags": [],
    }  # fmt: skip


def _check_leg(tx: Tx, router: Router, subnet: Subnet) -> None:
    held = [fixed["subnet_id"] for port in interfaces(tx, router.id) for fixed in port.fixed_ips]
    if subnet.id in held:
        raise _bad(f"Router already has a port on subnet {subnet.id}")
    others = subnets.find_many(tx, held)
    if router.gateway_network_id is not None:
        others += subnets.of_networks(tx, [router.gateway_network_id])
    _check_apart(subnet, others)


def _leg_in(ctx: Context, tx: Tx, router: Router, subnet_id: str) -> Port:
    subnet = subnets.get(ctx, tx, subnet_id)
    if subnet.gateway_ip is None:
        raise _bad("Subnet for router interface must have a gateway IP")
    _check_leg(tx, router, subnet)
    network = networks.find(tx, subnet.network_id)
    assert network is not None
    return ports.make(
        tx, network, project_id=router.project_id, device_id=router.id, device_owner=INTERFACE,
        wishes=[Wish(subnet.id, subnet.gateway_ip)],
    )  # fmt: skip


def _leg_by(ctx: Context, tx: Tx, router: Router, port_id: str) -> Port:
    port, _ = ports.get(ctx, tx, port_id)
    if port.device_id or port.device_owner.startswith("network:"):
        raise conflict(
            "PortInUse", f"Unable to complete operation on port {port.id} for network {port.network_id}. Port already "
            f"has an attached device {port.device_id}."
        )  # fmt: skip
    if not port.fixed_ips:
        raise _bad("Router port must have at least one fixed IP")
    held = subnets.find_many(tx, [fixed["subnet_id"] for fixed in port.fixed_ips])
    if sum(subnet.ip_version == 4 for subnet in held) > 1:
        raise _bad("Cannot have multiple IPv4 subnets on router port")
    for subnet in held:
        _check_leg(tx, router, subnet)
    ports.set_groups(tx, port, [])
    return ports.set_device(
        tx, port, device_id=router.id, device_owner=INTERFACE, port_security_enabled=False, allowed_address_pairs=[]
    )


def remove_interface(ctx: Context, tx: Tx, id: str, *, subnet_id: str | None, port_id: str | None) -> dict[str, Any]:
    """The leg goes with its port, whichever of the two named it."""
    router = get(ctx, tx, id)
    policy.REMOVE_INTERFACE.check(ctx, project_id=router.project_id)
    if subnet_id is None and port_id is None:
        raise _bad("Either subnet_id or port_id must be specified.")
    tx.lock("router", id)
    port = _leg_named(ctx, tx, router, subnet_id, port_id)
    held = subnets.find_many(tx, [fixed["subnet_id"] for fixed in port.fixed_ips])
    for subnet in held:
        _check_leg_unused(tx, router, subnet)
    ports.remove(tx, port)
    store.change(tx, id, {})
    if router.host:
        hosts.changed(tx, router.host)
    ctx.about("router", id, router.name)
    return _interface(router, port, subnet_id)


def _leg_named(ctx: Context, tx: Tx, router: Router, subnet_id: str | None, port_id: str | None) -> Port:
    legs = interfaces(tx, router.id)
    if port_id is not None:
        port = next((leg for leg in legs if leg.id == port_id), None)
        if port is None:
            text = f"Router {router.id} does not have an interface with id {port_id}"
            raise NotFound(text, type="RouterInterfaceNotFound")
        if subnet_id is not None and subnet_id not in [fixed["subnet_id"] for fixed in port.fixed_ips]:
            raise BadRequest(
                f"Subnet on port {port_id} does not match the requested subnet {subnet_id}.",
                type="SubnetMismatchForPort",
            )
        return port
    subnet = subnets.get(ctx, tx, subnet_id or "")
    for leg in legs:
        if subnet.id in [fixed["subnet_id"] for fixed in leg.fixed_ips]:
            return leg
    text = f"Router {router.id} has no interface on subnet {subnet_id}"
    raise NotFound(text, type="RouterInterfaceNotFoundForSubnet")


def _check_leg_unused(tx: Tx, router: Router, subnet: Subnet) -> None:
    if needs(router.routes, subnet.cidr):
        raise conflict(
            "RouterInterfaceInUseByRoute", f"Router interface for subnet {subnet.id} on router {router.id} cannot be "
            "deleted, as it is required by one or more routes."
        )  # fmt: skip
    if any(users(tx, router, subnet) for users in interface_users):
        raise conflict(
            "RouterInterfaceInUseByFloatingIP", f"Router interface for subnet {subnet.id} on router {router.id} "
            "cannot be deleted, as it is required by one or more floating IPs."
        )  # fmt: skip


def _gateway_held(tx: Tx, subnet: Subnet, values: dict[str, Any]) -> None:
    """A subnet's gateway address stays while a router has it."""
    new = values.get("gateway_ip", subnet.gateway_ip)
    if new == subnet.gateway_ip or subnet.gateway_ip is None:
        return
    for port in ports.with_ip(tx, subnet.network_id, subnet.gateway_ip):
        if port.device_owner == INTERFACE:
            raise conflict(
                "GatewayIpInUse", f"Current gateway ip {subnet.gateway_ip} already in use by port {port.id}. Unable "
                "to update."
            )  # fmt: skip


subnets.changing.append(_gateway_held)


# ---- where it runs -----------------------------------------------------------------------------------------------


def _place(ctx: Context, tx: Tx, router: Router) -> None:
    """Have a host run it; when there is none yet, the loop looks again."""
    if router.host:
        hosts.changed(tx, router.host)
    elif not _settle(tx, router):
        work.poke(tx, "router", router.id, ctx.request_id, after_s=2.0)


def _settle(tx: Tx, router: Router) -> bool:
    up = [host for host in hosts.all_hosts(tx) if host.is_up()]
    if not up:
        return False
    router.host = up[sum(router.id.encode()) % len(up)].name
    store.change(tx, router.id, {"host": router.host})
    for port in ports.of_devices(tx, [router.id]):
        if port.device_owner in (INTERFACE, GATEWAY):
            ports.bind(tx, port, router.host)
    hosts.changed(tx, router.host)
    return True


def settle(tx: Tx, id: str) -> None:
    """The loop's turn for a router without a host."""
    router = store.find(tx, id)
    if router is not None and not router.host and not _settle(tx, router):
        raise NotYet(5.0, "no host is up")


def touch(tx: Tx, id: str) -> None:
    router = store.find(tx, id)
    if router is not None and router.host:
        hosts.changed(tx, router.host)


def reaching(tx: Tx, subnet_id: str, network_id: str, external_network_id: str) -> Router | None:
    """The router between a subnet and an external network; the one at the subnet's gateway address comes first."""
    subnet = subnets.find(tx, subnet_id)
    legs = [
        port for port in ports.of_networks(tx, [network_id])
        if port.device_owner == INTERFACE and any(fixed["subnet_id"] == subnet_id for fixed in port.fixed_ips)
    ]  # fmt: skip
    legs.sort(key=lambda port: subnet is None or subnet.gateway_ip not in [f["ip_address"] for f in port.fixed_ips])
    for leg in legs:
        router = store.find(tx, leg.device_id)
        if router is not None and router.gateway_network_id == external_network_id:
            return router
    return None
