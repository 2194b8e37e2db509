"""The verbs of floating IPs."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from pilvi.kernel import hosts
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.addresses.model import Wish
from pilvi.network.floating_ips import policy, store
from pilvi.network.floating_ips.model import FloatingIp
from pilvi.network.networks import service as networks
from pilvi.network.networks.model import Network
from pilvi.network.ports import service as ports
from pilvi.network.ports.model import FLOATING, Port
from pilvi.network.quotas import service as quotas
from pilvi.network.routers import service as routers
from pilvi.network.routers.model import Router
from pilvi.network.standard.model import conflict, fresh, invalid, missing
from pilvi.network.standard.service import check_revision
from pilvi.network.subnets import service as subnets
from pilvi.network.subnets.model import Subnet

quotas.usage["floatingip"] = store.count

change = store.change
of_ports = store.of_ports
of_routers = store.of_routers
observe = store.observe


def _bad(message: str) -> BadRequest:
    return BadRequest(f"Bad floatingip request: {message}", type="BadRequest")


def _complete(tx: Tx, found: list[FloatingIp]) -> list[FloatingIp]:
    known = {port.id: port for port in ports.find_many(tx, [one.port_id for one in found if one.port_id])}
    for one in found:
        one.port = known.get(one.port_id or "")
    return found


def get(ctx: Context, tx: Tx, id: str) -> FloatingIp:
    found = store.find(tx, id)
    if found is None or not (ctx.is_admin or found.project_id == ctx.project_id):
        raise missing("FloatingIP", id)
    return found


def list_(ctx: Context, tx: Tx, query: Query) -> Page[FloatingIp]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    page = store.page(tx, query, [] if ctx.is_admin else [store.of_project(ctx.project_id)])
    _complete(tx, page.items)
    return page


def show(ctx: Context, tx: Tx, id: str) -> FloatingIp:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    return _complete(tx, [get(ctx, tx, id)])[0]


def create(ctx: Context, tx: Tx, project_id: str, values: Mapping[str, Any]) -> FloatingIp:
    policy.CREATE.check(ctx, project_id=project_id)
    network = networks.get(ctx, tx, values["floating_network_id"])
    if not network.external:
        raise _bad(f"Network {network.id} is not a valid external network.")
    if values["floating_ip_address"] is not None:
        policy.CREATE_ADDRESS.check(ctx, project_id=project_id)
    quotas.reserve(tx, project_id, "floatingip")
    standard = fresh(project_id, description=values["description"])
    port = ports.make(
        tx, network, project_id="", device_id=standard["id"], device_owner=FLOATING, status="N/A",
        wishes=[_wish(tx, network.id, values)],
    )  # fmt: skip
    one = FloatingIp(
        **standard, floating_network_id=network.id, floating_ip_address=port.fixed_ips[0]["ip_address"],
        floating_port_id=port.id, port_id=None, fixed_ip_address=None, router_id=None, status="DOWN",
        dns_name=values["dns_name"], dns_domain=values["dns_domain"],
    )  # fmt: skip
    if values["port_id"] is not None:
        _associate(ctx, tx, one, values["port_id"], values["fixed_ip_address"])
    elif values["fixed_ip_address"] is not None:
        raise _bad("fixed_ip_address cannot be specified without a port_id")
    store.add(tx, one, _taken(one))
    ctx.about("floatingip", one.id, one.floating_ip_address)
    return _complete(tx, [one])[0]


def _taken(one: FloatingIp) -> Any:
    return conflict(
        "FloatingIPPortAlreadyAssociated",
        f"Cannot associate floating IP {one.floating_ip_address} with port {one.port_id} using fixed IP "
        f"{one.fixed_ip_address}, as that fixed IP already has a floating IP on external network "
        f"{one.floating_network_id}.",
    )


def _wish(tx: Tx, network_id: str, values: Mapping[str, Any]) -> Wish:
    """The address asked for, or any of the first IPv4 subnet that has one."""
    if values["floating_ip_address"] is not None:
        try:
            ip = str(ipaddress.IPv4Address(values["floating_ip_address"]))
        except ValueError:
            raise invalid(f"'{values['floating_ip_address']}' is not a valid IPv4 address.") from None
        return Wish(values["subnet_id"], ip)
    possible = [subnet for subnet in subnets.of_networks(tx, [network_id]) if subnet.ip_version == 4]
    if values["subnet_id"] is not None:
        return Wish(values["subnet_id"])
    if not possible:
        raise _bad(f"Network {network_id} does not contain any IPv4 subnet")
    return Wish(_roomiest(tx, possible).id)


def _roomiest(tx: Tx, possible: list[Subnet]) -> Subnet:
    from pilvi.network.addresses import service as addresses
    from pilvi.network.addresses.model import ranges_of

    used = addresses.counts(tx, [subnet.id for subnet in possible])
    return max(possible, key=lambda subnet: ranges_of(subnet).size - used.get(subnet.id, 0))


def update(ctx: Context, tx: Tx, id: str, values: Mapping[str, Any]) -> FloatingIp:
    one = get(ctx, tx, id)
    policy.UPDATE.check(ctx, project_id=one.project_id)
    check_revision(ctx, one)
    before = one.router_id, one.port_id
    changes: dict[str, Any] = {"description": values["description"]} if "description" in values else {}
    port_id = values.get("port_id", one.port_id if values.get("fixed_ip_address") else None)
    if port_id is not None:
        _associate(ctx, tx, one, port_id, values.get("fixed_ip_address"))
    elif "port_id" in values or not changes:
        one.port_id = one.fixed_ip_address = one.router_id = None
        one.status = "DOWN"
    changes |= {n: getattr(one, n) for n in ("port_id", "fixed_ip_address", "router_id", "status")}
    store.change(tx, id, changes) if port_id is None else _store(tx, one, changes)
    for router_id, about in {before, (one.router_id, one.port_id)}:
        _touch(tx, router_id, about)
    ctx.about("floatingip", id, one.floating_ip_address)
    return show(ctx, tx, id)


def _store(tx: Tx, one: FloatingIp, changes: Mapping[str, Any]) -> None:
    for other in store.of_ports(tx, [one.port_id or ""]):
        if other.id != one.id and other.fixed_ip_address == one.fixed_ip_address:
            raise _taken(one)
    store.change(tx, one.id, changes)


def _associate(ctx: Context, tx: Tx, one: FloatingIp, port_id: str, fixed_ip: str | None) -> None:
    tx.lock("port", port_id)
    port, _ = ports.get(ctx, tx, port_id)
    if port.project_id != one.project_id and not ctx.is_admin:
        raise _bad(f"Port {port.id} is associated with a different tenant than Floating IP {one.id}.")
    fixed = _fixed(port, fixed_ip)
    router = routers.reaching(tx, fixed["subnet_id"], port.network_id, one.floating_network_id)
    if router is None:
        raise NotFound(
            f"External network {one.floating_network_id} is not reachable from subnet {fixed['subnet_id']}. "
            f"Therefore, cannot associate Port {port.id} with a Floating IP.",
            type="ExternalGatewayForFloatingIPNotFound",
        )
    if (one.port_id, one.fixed_ip_address) != (port.id, fixed["ip_address"]):
        one.status = "DOWN"
    one.port_id, one.fixed_ip_address, one.router_id = port.id, fixed["ip_address"], router.id
    _touch(tx, router.id, port.id)


def _touch(tx: Tx, router_id: str | None, port_id: str | None) -> None:
    """The router's host must look again, and the guest's too: its metadata names its floating IPs."""
    if router_id is not None:
        routers.touch(tx, router_id)
    port = ports.find(tx, port_id) if port_id is not None else None
    if port is not None and port.host:
        hosts.changed(tx, port.host)


def _fixed(port: Port, asked: str | None) -> dict[str, str]:
    v4 = [fixed for fixed in port.fixed_ips if ":" not in fixed["ip_address"]]
    if asked is not None:
        match = next((fixed for fixed in v4 if fixed["ip_address"] == asked), None)
        if match is None:
            raise _bad(f"Port {port.id} does not have fixed ip {asked}")
        return match
    if not v4:
        raise _bad(f"Cannot add floating IP to port {port.id} that has no fixed IPv4 addresses")
    if len(v4) > 1:
        raise _bad(
            f"Port {port.id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 address when assigning a "
            "floating IP"
        )
    return v4[0]


def delete(ctx: Context, tx: Tx, id: str) -> None:
    one = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=one.project_id)
    check_revision(ctx, one)
    _touch(tx, one.router_id, one.port_id)
    _give_back(tx, one)
    ctx.about("floatingip", id, one.floating_ip_address)


def _give_back(tx: Tx, one: FloatingIp) -> None:
    store.delete(tx, one.id)
    port = ports.find(tx, one.floating_port_id)
    if port is not None:
        ports.remove(tx, port)


# ---- what ports and routers tell ---------------------------------------------------------------------------------


def _let_go(tx: Tx, one: FloatingIp) -> None:
    _touch(tx, one.router_id, one.port_id)
    store.change(tx, one.id, {"port_id": None, "fixed_ip_address": None, "router_id": None, "status": "DOWN"})


def _port_removed(tx: Tx, port: Port) -> None:
    for one in store.of_ports(tx, [port.id]):
        _let_go(tx, one)


def _port_moved(tx: Tx, port: Port, ips: list[str]) -> None:
    for one in store.of_ports(tx, [port.id]):
        if one.fixed_ip_address in ips:
            _let_go(tx, one)


def _network_leaving(ctx: Context, tx: Tx, network: Network) -> None:
    """Floating IPs that nobody uses go with their network; one in use keeps it."""
    for one in store.of_network(tx, network.id):
        if one.port_id is None:
            _give_back(tx, one)


def _needs_gateway(tx: Tx, router_id: str) -> bool:
    return bool(store.of_routers(tx, [router_id]))


def _needs_interface(tx: Tx, router: Router, subnet: Subnet) -> bool:
    prefix = ipaddress.ip_network(subnet.cidr)
    fixed = [one.fixed_ip_address for one in store.of_routers(tx, [router.id]) if one.fixed_ip_address]
    return any(ipaddress.ip_address(ip) in prefix for ip in fixed)


networks.deleting.insert(0, _network_leaving)  # Before ports are looked at, since each has one.
ports.removing.append(_port_removed)
ports.moving.append(_port_moved)
routers.gateway_users.append(_needs_gateway)
routers.interface_users.append(_needs_interface)
