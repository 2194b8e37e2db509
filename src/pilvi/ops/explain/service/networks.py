"""Why ports, networks, routers and floating IPs are as they are."""

from collections.abc import Sequence
from typing import Any

from pilvi.kernel import hosts
from pilvi.kernel.db import Tx
from pilvi.kernel.facts import Event
from pilvi.ops.explain import store
from pilvi.ops.explain.service import evidence
from pilvi.ops.explain.story import Cause, Story, cause

ROUTER_PORTS = ("network:router_interface", "network:router_gateway")


def tell_port(tx: Tx, id: str, port: dict[str, Any], events: Sequence[Event]) -> Story:
    where = f" on {port['host']}" if port["host"] else ", bound to no host"
    story = Story("port", id, evidence.name_of(port, events), f"{port['status']}{where}", fields=port)
    story.causes = of_port(tx, port, events)
    if not story.causes and port["status"] == "DOWN" and not port["host"]:
        text = (
            "It is bound to no host, because no server uses it." if not port["device_id"] else "It is bound to no host."
        )
        story.causes = [cause(text, remedy="Give it to a server.", who="the project's users")]
    return story


def of_port(tx: Tx, port: dict[str, Any], events: Sequence[Event] | None = None) -> list[Cause]:
    """What keeps a bound port from carrying packets."""
    known = evidence.events_of(tx, port["id"]) if events is None else events
    found: list[Cause] = []
    if port["status"] == "ERROR":
        bad = evidence.last_bad(known, steps=("host port",))
        found.append(cause(f"Host {port['host']} could not bind port {port['id']}: {_message(bad)}"))
    if not port["admin_state_up"]:
        text = f"Port {port['id']} is switched off (admin_state_up is false)."
        found.append(cause(text, remedy="openstack port set --enable.", who="the project's users"))
    if port["status"] != "ACTIVE" and port["host"]:
        found += evidence.of_host(tx, port["host"])
        if not found:
            found.append(cause(f"Host {port['host']} has not reported port {port['id']} as up yet.", remedy="Wait."))
    if port["host"]:
        found += evidence.of_network_services(tx, port["network_id"])
    return found


def _message(event: Event | None) -> str:
    return "the host gave no reason." if event is None else evidence.message_of(event)


def tell_network(tx: Tx, id: str, network: dict[str, Any], events: Sequence[Event]) -> Story:
    up = "up" if network["admin_state_up"] else "switched off"
    story = Story("network", id, evidence.name_of(network, events), up, fields=network)
    found = evidence.of_network_services(tx, id)
    if not network["admin_state_up"]:
        text = "It is switched off (admin_state_up is false)."
        found.append(cause(text, remedy="openstack network set --enable.", who="the project's users"))
    if not store.subnets_of_network(tx, id):
        found.append(cause("The network requires a subnet: without one no port has an address."))
    story.causes = found
    return story


def tell_router(tx: Tx, id: str, router: dict[str, Any], events: Sequence[Event]) -> Story:
    where = f" on {router['host']}" if router["host"] else " on no host"
    story = Story("router", id, evidence.name_of(router, events), f"{router['status']}{where}", fields=router)
    story.causes = of_router(tx, router, events)
    return story


def of_router(tx: Tx, router: dict[str, Any], events: Sequence[Event]) -> list[Cause]:
    found: list[Cause] = []
    if router["status"] == "ERROR":
        bad = evidence.last_bad(events, steps=("host router",))
        found.append(cause(f"Host {router['host']} could not make router {router['id']}: {_message(bad)}"))
    if not router["admin_state_up"]:
        text = "The router is switched off (admin_state_up is false)."
        found.append(cause(text, remedy="openstack router set --enable.", who="the project's users"))
    if router["host"]:
        found += evidence.of_host(tx, router["host"])
    elif not hosts.all_hosts(tx):
        found.append(cause("The router is on no host: this cloud has no host yet."))
    return found


def tell_floating_ip(tx: Tx, id: str, one: dict[str, Any], events: Sequence[Event]) -> Story:
    name = str(one["floating_ip_address"])
    story = Story("floatingip", id, name, str(one["status"]), fields=one)
    found: list[Cause] = []
    if one["port_id"] is None:
        text = "It is associated with no port, so nothing answers at it."
        found.append(cause(text, remedy="openstack floating ip set --port.", who="the project's users"))
    if one["status"] == "ERROR":
        bad = evidence.last_bad(events, steps=("host floatingip",))
        found.append(cause(f"The host could not set it up: {_message(bad)}"))
    router = evidence.row(tx, "router", one["router_id"]) if one["router_id"] else None
    if router is not None:
        found += of_router(tx, router, evidence.events_of(tx, one["router_id"]))
    port = evidence.row(tx, "port", one["port_id"]) if one["port_id"] else None
    if port is not None:
        found += [each for each in of_port(tx, port) if each not in found]
    story.causes = found
    return story
