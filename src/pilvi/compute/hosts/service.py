"""The agents' side of compute: what a host should do, and what it says is there."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pilvi.compute.guest_metadata.model import Guest, files
from pilvi.compute.hosts import policy
from pilvi.compute.hosts.model import RESERVED_MEMORY_MIB, HostFacts, facts_of
from pilvi.compute.servers import service as servers
from pilvi.compute.servers.model import Power, Report, Server
from pilvi.kernel import clock, facts, hosts, ids
from pilvi.kernel.config import ComputeConfig
from pilvi.kernel.context import Context, Principal
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Unavailable
from pilvi.network import facade as network
from pilvi.placement import facade as placement

console_reader: list[Callable[[str, str, int | None], str]] = []
"""How to read a guest's console from its host: main.py puts a function here (host, server id, lines)."""


def ask_console(host: str, server_id: str, lines: int | None) -> str:
    if not console_reader:
        raise Unavailable("Consoles cannot be reached: the live process is not connected.")
    return console_reader[0](host, server_id, lines)


def state(ctx: Context, tx: Tx, known_revision: int | None) -> dict[str, Any] | None:
    """What the host should do; None when it knows already."""
    name = ctx.host or ""
    policy.STATE.check(ctx, host=name)
    host = hosts.find(tx, name)
    if host is None:
        return {"revision": 0, "complete": False, "servers": [], "network": {}}
    if known_revision == host.revision:
        return None
    guests = servers.with_nics(tx, servers.on_host(tx, name))
    return {
        "revision": host.revision,
        "complete": True,
        "servers": [wanted(server) for server in guests],
        "network": network.host_state(tx, name),
    }


def wanted(server: Server) -> dict[str, Any]:
    """One guest as the host's loop wants it."""
    flavor = server.flavor
    return {
        "id": server.id, "project_id": server.project_id, "name": server.name, "hostname": server.hostname,
        "generation": server.generation, "power": server.wanted_power,
        "reboot": {"generation": server.reboot_generation, "kind": server.reboot_kind},
        "snapshot": server.snapshot_image_id,
        "vcpus": server.vcpus, "memory_mib": server.memory_mib, "root_gib": flavor["disk"],
        "ephemeral_gib": flavor["ephemeral"], "swap_mib": flavor["swap"],
        "image": {k: v for k, v in server.image.items() if k != "properties"},
        "image_properties": server.image["properties"], "extra_specs": flavor["extra_specs"],
        "nics": [
            {"port_id": n.port_id, "mac": n.mac, "mtu": n.mtu, "network_id": n.network_id} for n in server.nics
        ],
        "config_drive": server.config_drive, "metadata": {"files": files(guest_of(server))}, "console": True,
        "request_id": server.request_id,
    }  # fmt: skip


def guest_of(server: Server) -> Guest:
    return Guest(
        id=server.id, name=server.name, hostname=server.hostname, project_id=server.project_id,
        availability_zone=server.availability_zone, launch_index=server.launch_index,
        reservation_id=server.reservation_id, image_id=server.image_id, flavor_name=server.flavor["name"],
        key_name=server.key_name, public_key=server.public_key, admin_password=server.admin_password,
        user_data=None if server.user_data is None else base64.b64decode(server.user_data),
        metadata=server.metadata, nics=server.nics,
    )  # fmt: skip


def report(ctx: Context, tx: Tx, document: Any, config: ComputeConfig) -> dict[str, Any]:
    """Take in what a host says: itself, its network, its guests. In this order, since guests need their ports."""
    name = ctx.host or ""
    policy.REPORT.check(ctx, host=name)
    if not isinstance(document, dict):
        raise BadRequest("A report is a JSON object.")
    host = _host(tx, name, document, config)
    reports = [_parse(entry) for entry in _entries(document)]
    of_network = document.get("network") or {}
    if not isinstance(of_network, dict):
        raise BadRequest("The network of a report is an object.")
    facts.act(tx, Context("", Principal(user_id=f"host {name}")), "host report")
    network.report(tx, name, of_network)
    _troubles(tx, name, of_network)
    for one in reports:
        servers.observe(ctx, tx, name, one)
    return {"revision": host.revision}


TROUBLES_MOST = 100


def _troubles(tx: Tx, name: str, of_network: Mapping[str, Any]) -> None:
    """What the host cannot do now is kept beside it; its beginning and its end are events."""
    if not of_network:
        return
    found = {"network": str(of_network["error"])[:2000]} if of_network.get("error") else {}
    responders = of_network.get("responders")
    if isinstance(responders, dict):
        for where, text in list(responders.items())[:TROUBLES_MOST]:
            found[str(where)[:64]] = f"DHCP and metadata are not served: {str(text)[:2000]}"
    host = hosts.find(tx, name)
    if host is None or host.troubles == found:
        return
    hosts.seen(tx, name, troubles=found)
    ctx = Context("", Principal(user_id=f"host {name}"))
    for where in sorted(found.keys() | host.troubles.keys()):
        if found.get(where) == host.troubles.get(where):
            continue
        about = ("host", name, name) if where == "network" else ("network", where, "")
        detail = {"host": name, "message": found[where]} if where in found else {"host": name, "text": "works again"}
        outcome = "failed" if where in found else "done"
        facts.record(tx, ctx, "host network", resource=about, outcome=outcome, detail=detail)


def _host(tx: Tx, name: str, document: Mapping[str, Any], config: ComputeConfig) -> hosts.Host:
    known = hosts.find(tx, name)
    facts, applied_revision = _said_of_itself(document)
    if known is None:
        if facts is None:
            raise BadRequest("The first report of a host must say what the host is.")
        known = hosts.Host(name, ids.uuid(), 1, 0, clock.now(), clock.timestamp(), _plain(facts))
        hosts.add(tx, known)
    changes: dict[str, Any] = {"applied_revision": applied_revision}
    if facts is not None:
        changes["facts"] = _plain(facts)
        _inventory(tx, known, facts, config)
    if document.get("started"):
        changes["started_at"] = clock.timestamp()
    hosts.seen(tx, name, **changes)
    return known


def _said_of_itself(document: Mapping[str, Any]) -> tuple[HostFacts | None, int]:
    try:
        facts = facts_of(document["host"]) if document.get("host") else None
        return facts, int(document.get("revision") or 0)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRequest(f"What the host says of itself is malformed: {error!r}.") from None


def _plain(facts: HostFacts) -> dict[str, object]:
    return asdict(facts) | {"traits": list(facts.traits)}


def _inventory(tx: Tx, host: hosts.Host, facts: HostFacts, config: ComputeConfig) -> None:
    def amount(total: int, reserved: int, ratio: float) -> placement.Inventory:
        return placement.Inventory(
            total=total, reserved=min(reserved, max(total - 1, 0)), min_unit=1, max_unit=max(total, 1), step_size=1,
            allocation_ratio=ratio,
        )  # fmt: skip

    inventories = {
        "VCPU": amount(facts.vcpus, 0, config.cpu_allocation_ratio),
        "MEMORY_MB": amount(facts.memory_mib, RESERVED_MEMORY_MIB, config.memory_allocation_ratio),
        "DISK_GB": amount(facts.disk_gib, 0, config.disk_allocation_ratio),
    }
    placement.ensure_provider(tx, name=host.name, uuid=host.id, inventories=inventories, traits=frozenset(facts.traits))


STEPS_MOST, SERVERS_MOST = 50, 10_000
LONGEST_STEP_MS = 7 * 86_400_000.0


def _entries(document: Mapping[str, Any]) -> list[Any]:
    entries = document.get("servers")
    if entries is None:
        return []
    if not isinstance(entries, list) or len(entries) > SERVERS_MOST:
        raise BadRequest(f"The servers of a report are a list of at most {SERVERS_MOST}.")
    return entries


def _parse(entry: Any) -> Report:
    try:
        return Report(
            id=str(entry["id"]), generation=int(entry["generation"]), power=Power(entry["power"]),
            reboot_generation=int(entry.get("reboot_generation") or 0), error=_error(entry.get("error")),
            steps=[_step(step) for step in list(entry.get("steps") or [])[:STEPS_MOST]],
        )  # fmt: skip
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRequest(f"A server in the report is malformed: {error!r}.") from None


def _error(found: Any) -> dict[str, Any] | None:
    if found is None:
        return None
    message, detail = str(found["message"])[:2000], str(found.get("detail") or "")[:20_000]
    known: dict[str, Any] = {"message": message, "detail": detail, "retry": bool(found.get("retry"))}
    return known | {"image": str(found["image"])[:36]} if "image" in found else known


def _duration_ms(found: Any) -> float:
    return min(max(float(found.get("duration_ms") or 0.0), 0.0), LONGEST_STEP_MS)


def _step(found: Any) -> dict[str, Any]:
    """One step with its time checked: it becomes an event that users read."""
    clock.parse(str(found["at"]))
    return {
        "step": str(found["step"])[:64], "at": str(found["at"]), "duration_ms": _duration_ms(found),
        "outcome": str(found.get("outcome") or ""), "detail": str(found.get("detail") or "")[:2000],
    }  # fmt: skip
