"""What compute and the agents' side may ask of the network. All take the caller's transaction."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, Fault, Forbidden, NotFound
from pilvi.network.addresses.model import Wish
from pilvi.network.floating_ips import service as _floating_ips
from pilvi.network.host_states import service as _host_states
from pilvi.network.networks import service as _networks
from pilvi.network.networks.model import Network
from pilvi.network.ports import service as _ports
from pilvi.network.ports.model import Port
from pilvi.network.quotas import service as _quotas
from pilvi.network.security_group_rules import service as _rules
from pilvi.network.security_groups import service as _groups
from pilvi.network.subnets import service as _subnets
from pilvi.network.subnets.model import Subnet

PATTERN_LIMIT = 255


@dataclass(frozen=True, slots=True)
class NicRequest:
    network_id: str | None = None
    port_id: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class FixedIp:
    ip: str
    version: int
    subnet_id: str
    cidr: str
    gateway_ip: str | None
    dns_nameservers: tuple[str, ...]
    routes: tuple[tuple[str, str], ...]
    """Destination and next hop."""
    dhcp: bool


@dataclass(frozen=True, slots=True)
class Nic:
    port_id: str
    network_id: str
    network_name: str
    mac: str
    mtu: int
    fixed_ips: tuple[FixedIp, ...]
    floating_ips: tuple[str, ...]
    security_groups: tuple[str, ...]
    """Names."""
    security_group_ids: tuple[str, ...]
    status: str
    tag: str | None
    created_by_compute: bool


# ---- before anything is written ----------------------------------------------------------------------------------


def default_requests(ctx: Context, tx: Tx, project_id: str) -> list[NicRequest]:
    """What a server gets that names no networks: the project's only one."""
    usable = _networks.usable_by_servers(tx, project_id)
    if len(usable) > 1:
        raise Conflict("Multiple possible networks found, use a Network ID to be more specific.")
    return [NicRequest(network_id=one) for one in usable]


def check_requests(
    ctx: Context, tx: Tx, project_id: str, requests: Sequence[NicRequest], security_groups: Sequence[str]
) -> None:
    """Refuse what cannot be, with compute's words."""
    security_group_names(ctx, tx, security_groups, project_id)
    new = 0
    for request in requests:
        if request.port_id is not None:
            _check_port(ctx, tx, request.port_id)
        else:
            new += 1
            _check_network(ctx, tx, request)
    left = _quotas.left(tx, project_id, "port") if new else None
    if left is not None and left < new:
        raise Forbidden("Maximum number of ports exceeded.")


def _check_port(ctx: Context, tx: Tx, port_id: str) -> None:
    try:
        port, _ = _ports.get(ctx, tx, port_id)
    except NotFound:
        raise BadRequest(f"Port id {port_id} could not be found.") from None
    if port.device_id or port.device_owner.startswith("network:"):
        raise Conflict(f"Port {port_id} is still in use.")
    if not port.fixed_ips and port.port_security_enabled and port.security_groups:
        raise BadRequest(f"Port {port_id} requires a FixedIP in order to be used.")


def _check_network(ctx: Context, tx: Tx, request: NicRequest) -> None:
    network = _network(ctx, tx, request.network_id or "")
    if network.external and not (ctx.is_admin or network.shared or network.project_id == ctx.project_id):
        raise Forbidden(f"It is not allowed to create an interface on external network {network.id}")
    found = _subnets.of_networks(tx, [network.id])
    if not found:
        raise BadRequest(f"Network {network.id} requires a subnet in order to boot instances on.")
    if request.fixed_ip is not None:
        if not any(subnet.can_hold(request.fixed_ip) for subnet in found):
            raise BadRequest(f"Fixed IP {request.fixed_ip} is not a valid ip address for network {network.id}.")
        if _ports.with_ip(tx, network.id, request.fixed_ip):
            raise BadRequest(f"Fixed IP address {request.fixed_ip} is already in use on instance.")


def _network(ctx: Context, tx: Tx, network_id: str) -> Network:
    try:
        return _networks.get(ctx, tx, network_id)
    except NotFound:
        raise BadRequest(f"Network {network_id} could not be found.") from None


def security_group_names(ctx: Context, tx: Tx, names_or_ids: Sequence[str], project_id: str) -> list[str]:
    """The ids of security groups given by name or id."""
    return [_group(ctx, tx, one, project_id) for one in dict.fromkeys(names_or_ids)]


def _group(ctx: Context, tx: Tx, name: str, project_id: str) -> str:
    try:
        return _groups.get(ctx, tx, name).id
    except NotFound:
        pass
    if name == "default":
        return _groups.ensure_default(tx, project_id)
    found = _groups.named(tx, project_id, name)
    if not found:
        raise BadRequest(f"Security group {name} not found for project {project_id}.")
    if len(found) > 1:
        raise Conflict(f"Multiple security groups found matching '{name}'. Use an ID to be more specific.")
    return found[0].id


# ---- a server's ports --------------------------------------------------------------------------------------------


def allocate(
    ctx: Context, tx: Tx, *, server_id: str, project_id: str, hostname: str, availability_zone: str,
    requests: Sequence[NicRequest], security_groups: Sequence[str],
) -> list[Nic]:  # fmt: skip
    """A port for each request, not bound yet."""
    groups = security_group_names(ctx, tx, security_groups, project_id)
    owner = f"compute:{availability_zone}"
    for request in requests:
        if request.port_id is not None:
            port, _ = _ports.get(ctx, tx, request.port_id)
            if port.device_id:
                raise Conflict(f"Port {port.id} is still in use.")
            more = {} if port.dns_name else {"dns_name": hostname}
            _ports.set_device(tx, port, device_id=server_id, device_owner=owner, nic_tag=request.tag, attached=True,
                              **more)  # fmt: skip
        else:
            _allocate_new(ctx, tx, request, groups, server_id, project_id, hostname, owner)
    return nics_of(tx, [server_id]).get(server_id, [])


def _allocate_new(
    ctx: Context, tx: Tx, request: NicRequest, groups: list[str], server_id: str, project_id: str, hostname: str,
    owner: str,
) -> None:  # fmt: skip
    network = _network(ctx, tx, request.network_id or "")
    try:
        _quotas.reserve(tx, project_id, "port")
    except Conflict:
        raise Forbidden("Maximum number of ports exceeded.") from None
    secure = network.port_security_enabled
    try:
        _ports.make(
            tx, network, project_id=project_id, device_id=server_id, device_owner=owner,
            wishes=None if request.fixed_ip is None else [Wish(None, request.fixed_ip)],
            security_groups=(groups or [_groups.ensure_default(tx, project_id)]) if secure else (),
            port_security_enabled=secure, dns_name=hostname, nic_tag=request.tag, attached=True, made_by_compute=True,
        )  # fmt: skip
    except Conflict as fault:
        raise _as_compute(fault) from None


def _as_compute(fault: Fault) -> Fault:
    return BadRequest(fault.message) if fault.type == "IpAddressGenerationFailure" else fault


def bind(tx: Tx, server_id: str, host: str) -> None:
    """The server's ports are to be on this host."""
    for port in _ports.of_servers(tx, [server_id]):
        if port.host != host:
            _ports.bind(tx, port, host)


def release(ctx: Context, tx: Tx, server_id: str) -> None:
    """The server is gone: what compute made goes, the user's own ports are free again."""
    for port in _ports.of_servers(tx, [server_id]):
        if port.made_by_compute:
            _ports.remove(tx, port)
        else:
            free = _ports.unbind(tx, port)
            _ports.set_device(tx, free, device_id="", device_owner="", nic_tag=None, attached=False)


def nics_of(tx: Tx, server_ids: list[str]) -> dict[str, list[Nic]]:
    """The NICs of many servers with a handful of questions, however many there are."""
    found = _ports.of_servers(tx, server_ids) if server_ids else []
    if not found:
        return {}
    network_ids = sorted({port.network_id for port in found})
    networks = {one.id: one for one in _networks.find_many(tx, network_ids)}
    subnets = {one.id: one for one in _subnets.of_networks(tx, network_ids)}
    groups = {one.id: one.name for one in _groups.find_many(tx, {id for port in found for id in port.security_groups})}
    floating: dict[str, list[str]] = {}
    for one in _floating_ips.of_ports(tx, [port.id for port in found]):
        floating.setdefault(one.port_id or "", []).append(one.floating_ip_address)
    by_server: dict[str, list[Nic]] = {}
    for port in found:
        nic = _nic(port, networks[port.network_id], subnets, groups, tuple(floating.get(port.id, ())))
        by_server.setdefault(port.device_id, []).append(nic)
    return by_server


def _nic(
    port: Port, network: Network, subnets: dict[str, Subnet], groups: dict[str, str], floating: tuple[str, ...]
) -> Nic:
    return Nic(
        port_id=port.id, network_id=network.id, network_name=network.name, mac=port.mac, mtu=network.mtu,
        fixed_ips=tuple(_fixed(fixed, subnets[fixed["subnet_id"]]) for fixed in port.fixed_ips),
        floating_ips=floating, security_groups=tuple(groups[id] for id in port.security_groups if id in groups),
        security_group_ids=tuple(port.security_groups), status=port.status, tag=port.nic_tag,
        created_by_compute=port.made_by_compute,
    )  # fmt: skip


def _fixed(fixed: dict[str, str], subnet: Subnet) -> FixedIp:
    return FixedIp(
        ip=fixed["ip_address"], version=subnet.ip_version, subnet_id=subnet.id, cidr=subnet.cidr,
        gateway_ip=subnet.gateway_ip, dns_nameservers=tuple(subnet.dns_nameservers),
        routes=tuple((one["destination"], one["nexthop"]) for one in subnet.host_routes), dhcp=subnet.enable_dhcp,
    )  # fmt: skip


def servers_with_ip(tx: Tx, pattern: str, version: int) -> list[str]:
    """Servers with a fixed address that the pattern matches, as compute's ip filter wants it."""
    try:
        wanted = re.compile(pattern[:PATTERN_LIMIT])
    except re.error:
        return []
    return sorted({
        device_id for device_id, fixed_ips in _ports.guests_with_addresses(tx)
        for fixed in fixed_ips
        if (":" in fixed["ip_address"]) == (version == 6) and wanted.search(fixed["ip_address"])
    })  # fmt: skip


def attach_security_group(ctx: Context, tx: Tx, server_id: str, name: str) -> None:
    """Every port of the server that can have groups gets it."""
    found = [port for port in _ports.of_servers(tx, [server_id]) if port.port_security_enabled]
    if not found:
        raise BadRequest(f"Instance {server_id} has no port that can have a security group.")
    id = _named_group(ctx, tx, name, found[0].project_id)
    for port in found:
        if id not in port.security_groups:
            _ports.set_groups(tx, port, [*port.security_groups, id])


def detach_security_group(ctx: Context, tx: Tx, server_id: str, name: str) -> None:
    found = _ports.of_servers(tx, [server_id])
    id = _named_group(ctx, tx, name, found[0].project_id if found else ctx.project_id)
    having = [port for port in found if id in port.security_groups]
    if not having:
        raise NotFound(f"Security group {name} not associated with the instance {server_id}.")
    for port in having:
        _ports.set_groups(tx, port, [one for one in port.security_groups if one != id])


def _named_group(ctx: Context, tx: Tx, name: str, project_id: str) -> str:
    try:
        return _group(ctx, tx, name, project_id)
    except BadRequest as fault:
        raise NotFound(fault.message) from None


def security_groups_of_server(ctx: Context, tx: Tx, server_id: str) -> list[dict[str, Any]]:
    """The groups of a server's ports, in compute's old shape."""
    wanted = {id for port in _ports.of_servers(tx, [server_id]) for id in port.security_groups}
    found = sorted(_groups.find_many(tx, wanted), key=lambda one: one.name) if wanted else []
    rules = _rules.rules_of(tx, [one.id for one in found]) if found else {}
    names = {one.id: one.name for one in found}
    return [
        {
            "id": one.id, "name": one.name, "description": one.description, "tenant_id": one.project_id,
            "rules": [_compute_rule(rule, names) for rule in rules.get(one.id, []) if rule.direction == "ingress"],
        }
        for one in found
    ]  # fmt: skip


def _compute_rule(rule: Any, names: dict[str, str]) -> dict[str, Any]:
    group = {} if rule.remote_group_id is None else {
        "name": names.get(rule.remote_group_id, rule.remote_group_id), "tenant_id": rule.project_id,
    }  # fmt: skip
    everywhere = "0.0.0.0/0" if rule.ethertype == "IPv4" else "::/0"
    ip_range = {} if rule.remote_group_id else {"cidr": rule.remote_ip_prefix or everywhere}
    return {
        "id": rule.id, "parent_group_id": rule.security_group_id, "ip_protocol": rule.protocol,
        "from_port": rule.port_range_min, "to_port": rule.port_range_max, "ip_range": ip_range, "group": group,
    }  # fmt: skip


# ---- hosts -------------------------------------------------------------------------------------------------------


def host_state(tx: Tx, host: str) -> dict[str, Any]:
    """The network part of a host's wanted state."""
    return _host_states.host_state(tx, host).to_json()


def report(tx: Tx, host: str, status: dict[str, Any]) -> list[str]:
    """What a host says of its network; returns the servers whose ports changed their status."""
    return _host_states.report(tx, host, status)
