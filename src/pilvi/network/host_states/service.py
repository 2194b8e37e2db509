"""What each host should do, gathered from all rooms; and what hosts say they did."""

from collections.abc import Mapping
from typing import Any

from pilvi.kernel import facts
from pilvi.kernel.context import Context, Principal
from pilvi.kernel.db import Tx
from pilvi.network import settings
from pilvi.network.drivers import protocol
from pilvi.network.floating_ips import service as floating_ips
from pilvi.network.host_states import model
from pilvi.network.networks import service as networks
from pilvi.network.ports import service as ports
from pilvi.network.ports.model import GATEWAY, INTERFACE, Port
from pilvi.network.routers import service as routers
from pilvi.network.security_group_rules import service as rules
from pilvi.network.security_groups import service as groups
from pilvi.network.subnets import service as subnets

STEPS_MOST = 20
"""Turns of a driver in one report."""
OBJECTS_LIMIT = 100_000
"""Objects of one report; a host with more is broken."""


def host_state(tx: Tx, host: str) -> protocol.HostState:
    """Everything that the host's network has to be."""
    here = ports.on_host(tx, host)
    guests = [port for port in here if port.is_guest]
    network_ids = sorted({port.network_id for port in here})
    return protocol.HostState(
        networks=_networks(tx, network_ids),
        ports=tuple(model.port_of(port) for port in guests),
        security_groups=_groups(tx, {id for port in guests for id in port.security_groups}),
        routers=_routers(tx, host, here),
    )


def _networks(tx: Tx, network_ids: list[str]) -> tuple[protocol.Network, ...]:
    if not network_ids:
        return ()
    served = {port.network_id: port for port in ports.service_ports(tx, network_ids)}
    held: dict[str, list[Any]] = {}
    for subnet in subnets.of_networks(tx, network_ids):
        held.setdefault(subnet.network_id, []).append(subnet)
    return tuple(
        model.network_of(network, held.get(network.id, []), served.get(network.id), settings.current.dns_domain)
        for network in sorted(networks.find_many(tx, network_ids), key=lambda one: one.id)
    )


def _groups(tx: Tx, wanted: set[str]) -> tuple[protocol.SecurityGroup, ...]:
    """The groups of the host's ports, and those that their rules speak of: of these only the members matter."""
    if not wanted:
        return ()
    by_group: dict[str, list[Any]] = {}
    for rule in rules.of_groups(tx, sorted(wanted)):
        by_group.setdefault(rule.security_group_id, []).append(rule)
    remote = {rule.remote_group_id for found in by_group.values() for rule in found if rule.remote_group_id}
    every = sorted(wanted | remote)
    members: dict[str, list[Port]] = {}
    for port in ports.in_groups(tx, sorted(remote)) if remote else []:
        for id in remote.intersection(port.security_groups):
            members.setdefault(id, []).append(port)
    found = sorted(groups.find_many(tx, every), key=lambda one: one.id)
    return tuple(model.group_of(one, by_group.get(one.id, []), members.get(one.id, [])) for one in found)


def _routers(tx: Tx, host: str, here: list[Port]) -> tuple[protocol.Router, ...]:
    found = routers.on_host(tx, host)
    if not found:
        return ()
    legs: dict[str, list[Port]] = {}
    gateways: dict[str, Port] = {}
    for port in here:
        if port.device_owner == INTERFACE:
            legs.setdefault(port.device_id, []).append(port)
        elif port.device_owner == GATEWAY:
            gateways[port.device_id] = port
    held = {fixed["subnet_id"] for plugs in legs.values() for port in plugs for fixed in port.fixed_ips}
    cidrs = {subnet.id: subnet.cidr for subnet in subnets.find_many(tx, sorted(held))}
    floating: dict[str, list[Any]] = {}
    for one in floating_ips.of_routers(tx, [router.id for router in found]):
        floating.setdefault(one.router_id or "", []).append(one)
    return tuple(
        model.router_of(router, gateways.get(router.id), legs.get(router.id, []), cidrs, floating.get(router.id, []))
        for router in found
        if router.id in gateways or router.id in legs
    )


# ---- reports -----------------------------------------------------------------------------------------------------


def report(tx: Tx, host: str, status: Mapping[str, Any]) -> list[str]:
    """Take in which objects a host applied. Returns the device ids whose ports changed their status."""
    _steps(tx, host, status.get("steps"))
    objects = status.get("objects")
    if not isinstance(objects, list):
        return []
    revision = int(status.get("revision") or 0)
    errors: dict[tuple[str, str], str | None] = {
        (str(one.get("kind")), str(one.get("id"))): one.get("error")
        for one in objects[:OBJECTS_LIMIT]
        if isinstance(one, dict)
    }
    changed = _ports(tx, host, revision, errors)
    _router_statuses(tx, host, errors)
    return changed


def _ports(tx: Tx, host: str, revision: int, errors: Mapping[tuple[str, str], str | None]) -> list[str]:
    changed = []
    for port in ports.on_host(tx, host):
        about = ("port", port.id) if port.is_guest else ("router", port.device_id)
        if about not in errors or revision < port.host_revision:
            continue
        error = errors[about]
        new = "ERROR" if error else "ACTIVE" if port.admin_state_up else "DOWN"
        if new != port.status:
            _remember(tx, host, ("port", port.id, port.name), port.project_id, new, error)
            ports.observe(tx, port.id, new)
            changed.append(port.device_id)
    return changed


def _router_statuses(tx: Tx, host: str, errors: Mapping[tuple[str, str], str | None]) -> None:
    found = routers.on_host(tx, host)
    for router in found:
        if ("router", router.id) not in errors:
            continue
        error = errors["router", router.id]
        new = "ERROR" if error else "ACTIVE"
        if new != router.status:
            _remember(tx, host, ("router", router.id, router.name), router.project_id, new, error)
            routers.observe(tx, router.id, new)
    for one in floating_ips.of_routers(tx, [router.id for router in found]) if found else []:
        if ("floating_ip", one.id) not in errors:
            continue
        error = errors["floating_ip", one.id]
        new = "ERROR" if error else "ACTIVE"
        if new != one.status:
            _remember(tx, host, ("floatingip", one.id, one.floating_ip_address), one.project_id, new, error)
            floating_ips.observe(tx, one.id, new)


def _remember(tx: Tx, host: str, about: tuple[str, str, str], project_id: str, status: str, error: str | None) -> None:
    """An event of the request that wanted it, as what changes next is."""
    asked = facts.last_asked(tx, about[1])
    ctx = Context("" if asked is None else asked.request_id, Principal(user_id=f"host {host}"))
    facts.act(tx, ctx, "host report")
    facts.record(
        tx, ctx, f"host {about[0]} {status}", resource=about, project_id=project_id,
        outcome="failed" if error else "done", detail={"host": host, "text": error or ""},
    )  # fmt: skip


# ---- turns of the driver -----------------------------------------------------------------------------------------


def _steps(tx: Tx, host: str, steps: Any) -> None:
    """Each turn of a host's network driver that did something: an event of every object it was about."""
    for found in steps[:STEPS_MOST] if isinstance(steps, list) else []:
        step = model.step_of(found)
        for kind, id, does in step.objects:
            asked = facts.last_asked(tx, id)
            if asked is not None:  # Else it is older than all events.
                ctx = Context(asked.request_id, Principal(user_id=f"host {host}"))
                about = (kind, id, asked.resource_name)
                _record_step(tx, ctx, host, about, asked.project_id, step, does)
        if step.more:
            ctx = Context("", Principal(user_id=f"host {host}"))
            _record_step(tx, ctx, host, ("host", host, host), "", step, f"{step.more} objects looked at or changed")


def _record_step(
    tx: Tx, ctx: Context, host: str, about: tuple[str, str, str], project_id: str, step: model.Step, text: str
) -> None:
    facts.record(
        tx, ctx, "host network applied", resource=about, project_id=project_id, at=step.at,
        outcome="failed" if step.message else "done", duration_ms=step.duration_ms,
        detail={"host": host, "message" if step.message else "text": step.message or text},
    )  # fmt: skip
