"""/servers/{id}/ips, os-interface and os-security-groups: what the network says of a server."""

from typing import Any

from pilvi.compute.servers import policy
from pilvi.compute.servers import service as servers
from pilvi.compute.servers.wire import addresses
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.routing import Routes
from pilvi.network import facade as network

routes = Routes("compute", "/servers/{server_id}")


def _brief(shown: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Here only version and address are told."""
    return {label: [{"version": a["version"], "addr": a["addr"]} for a in entries] for label, entries in shown.items()}


@routes.get("/ips", rule=policy.IPS_LIST)
def list_(ctx: Context, tx: Tx, server_id: str) -> dict[str, Any]:
    server = servers.get(ctx, tx, server_id, policy.IPS_LIST)
    return {"addresses": _brief(addresses(servers.with_nics(tx, [server])[0]))}


@routes.get("/ips/{label}", rule=policy.IPS_SHOW)
def show(ctx: Context, tx: Tx, server_id: str, label: str) -> dict[str, Any]:
    server = servers.get(ctx, tx, server_id, policy.IPS_SHOW)
    shown = _brief(addresses(servers.with_nics(tx, [server])[0]))
    if label not in shown:
        raise NotFound("Instance is not a member of specified network")
    return {label: shown[label]}


@routes.get("/os-security-groups", rule=policy.LIST_GROUPS)
def security_groups(ctx: Context, tx: Tx, server_id: str) -> dict[str, Any]:
    server = servers.get(ctx, tx, server_id, policy.LIST_GROUPS)
    return {"security_groups": network.security_groups_of_server(ctx, tx, server.id)}


def _interface(nic: network.Nic) -> dict[str, Any]:
    return {
        "port_id": nic.port_id, "net_id": nic.network_id, "mac_addr": nic.mac, "port_state": nic.status,
        "fixed_ips": [{"subnet_id": fixed.subnet_id, "ip_address": fixed.ip} for fixed in nic.fixed_ips],
    }  # fmt: skip


@routes.get("/os-interface", rule=policy.INTERFACES_LIST)
def interfaces(ctx: Context, tx: Tx, server_id: str) -> dict[str, Any]:
    server = servers.get(ctx, tx, server_id, policy.INTERFACES_LIST)
    return {"interfaceAttachments": [_interface(nic) for nic in servers.with_nics(tx, [server])[0].nics]}


@routes.get("/os-interface/{port_id}", rule=policy.INTERFACES_SHOW)
def interface(ctx: Context, tx: Tx, server_id: str, port_id: str) -> dict[str, Any]:
    server = servers.get(ctx, tx, server_id, policy.INTERFACES_SHOW)
    for nic in servers.with_nics(tx, [server])[0].nics:
        if nic.port_id == port_id:
            return {"interfaceAttachment": _interface(nic)}
    raise NotFound(f"Instance {server_id} does not have a port with id {port_id}.")
