"""What must always hold. Each check is a pure function from a transaction to violations."""

from collections.abc import Callable, Iterable
from typing import Any

from pilvi.compute import facade as compute
from pilvi.kernel import clock, quotas
from pilvi.kernel.db import Tx
from pilvi.kernel.hosts import DEAD_AFTER_S, hosts
from pilvi.kernel.work import work
from pilvi.ops.audit import store
from pilvi.ops.audit.model import VIOLATIONS_MOST, Invariant, Kind, Violation

TRANSITION_MOST_S = 1200.0
"""A server's host has 900 s for one task; after that the loop has had time enough to say so."""
OVERDUE_S = 300.0
ATTEMPTS_MOST = 10
QUIET_S = 120.0
"""How long observed may differ from wanted while hosts answer."""

INVARIANTS: list[Invariant] = []
Check = Callable[[Tx], list[Violation]]


def _promise(
    promise: str, table: Any, *where: Any, kind: Kind = "safety", grace_s: float = 0.0
) -> Callable[[Check], Check]:
    """Registers a check; its name is the invariant's, with dashes. `table` is what is counted as looked at."""

    def register(check: Check) -> Check:
        name = check.__name__.replace("_", "-")
        population = _population(table, where)
        INVARIANTS.append(Invariant(name, promise, check, population, kind, grace_s))
        return check

    return register


def _population(table: Any, where: tuple[Any, ...]) -> Callable[[Tx], int]:
    return lambda tx: store.count(tx, table, *where)


def _all(check: str, kind: str, found: Iterable[tuple[str, str]]) -> list[Violation]:
    return [Violation(check, kind, id, text) for id, text in found]


def _heard_after() -> float:
    return clock.now() - DEAD_AFTER_S


# ---- placement ---------------------------------------------------------------------------------------------------


@_promise("No more of a resource is claimed than its host has.", store.inventories)
def claims_fit(tx: Tx) -> list[Violation]:
    return [
        Violation(
            "claims-fit", "host", row.name or row.provider_uuid,
            f"{row.resource_class}: {row.used} claimed of ({row.total} - {row.reserved}) x {row.allocation_ratio:g}",
        )
        for row in store.overfull(tx)
    ]  # fmt: skip


@_promise("What an inventory counts as used is the sum of what is held of it.", store.inventories)
def claims_add_up(tx: Tx) -> list[Violation]:
    found = [
        (row.provider_uuid, f"{row.resource_class}: {row.used} counted as used, {row.held} held")
        for row in store.miscounted(tx)
    ]
    for row in store.every_inventory(tx):
        capacity = min(int((row.total - row.reserved) * row.allocation_ratio), 2**62)
        if row.free != capacity - row.used and len(found) < VIOLATIONS_MOST:
            found.append(
                (row.provider_uuid, f"{row.resource_class}: {row.free} free, {capacity} - {row.used} expected")
            )
    found += [(row.provider_uuid, f"{row.resource_class}: held, but not there") for row in store.held_of_nothing(tx)]
    return _all("claims-add-up", "resource_provider", found)


@_promise(
    "Every claim of a server belongs to a server.", store.consumers, store.consumers.c.consumer_type == "INSTANCE"
)
def claims_have_servers(tx: Tx) -> list[Violation]:
    rows = store.claims_without_server(tx)
    return _all("claims-have-servers", "consumer", [(row.uuid, "holds resources, but is no server") for row in rows])


@_promise("A server on a host holds what it needs there, and nothing elsewhere.", store.servers)
def servers_have_claims(tx: Tx) -> list[Violation]:
    found = [(row.id, f"is on {row.host} and holds nothing there") for row in store.servers_without_claim(tx)]
    found += [
        (row.id, f"is on {row.host or 'no host'} and holds {row.resource_class} of {row.held_of}")
        for row in store.claims_elsewhere(tx)
    ]
    return _all("servers-have-claims", "server", found)


# ---- servers -----------------------------------------------------------------------------------------------------


@_promise("A server is on a host that the cloud knows.", store.servers)
def server_hosts_exist(tx: Tx) -> list[Violation]:
    rows = store.servers_on_unknown_hosts(tx)
    return _all("server-hosts-exist", "server", [(row.id, f"is on {row.host}, which is unknown") for row in rows])


@_promise("A server in transition has a work row that watches over it.", store.servers)
def transitions_are_watched(tx: Tx) -> list[Violation]:
    rows = store.unwatched_servers(tx)
    return _all("transitions-are-watched", "server", [(row.id, f"is {row.task_state}, unwatched") for row in rows])


@_promise(
    "A transition ends: done, or in error with a reason, unless the host is down.", store.servers, kind="liveness"
)
def transitions_end(tx: Tx) -> list[Violation]:
    now = clock.now()
    rows = store.lingering_servers(tx, now - TRANSITION_MOST_S, _heard_after())
    found = [(row.id, f"is {row.task_state} on {row.host} for {now - row.task_since:.0f} s") for row in rows]
    return _all("transitions-end", "server", found)


@_promise("A server at rest is as it is wanted, or in error.", store.servers)
def servers_are_as_wanted(tx: Tx) -> list[Violation]:
    rows = store.impossible_servers(tx)
    found = [(row.id, f"is {row.vm_state}, is to be {row.wanted_power}, and nothing is under way") for row in rows]
    return _all("servers-are-as-wanted", "server", found)


@_promise(
    "What was asked of a host that answers is reported by it.", store.servers, kind="liveness", grace_s=QUIET_S
)  # fmt: skip
def servers_are_confirmed(tx: Tx) -> list[Violation]:
    return [
        Violation(
            "servers-are-confirmed", "server", row.id,
            f"{row.host} has reported generation {row.seen_generation} of {row.generation}", str(row.seen_generation),
        )
        for row in store.unconfirmed_servers(tx, _heard_after())
    ]  # fmt: skip


@_promise("No project has more servers, vCPUs or memory than its quota allows.", store.servers)
def quotas_are_kept(tx: Tx) -> list[Violation]:
    found = []
    common, own = compute.limits_of(tx, quotas.DEFAULTS), store.quotas_of_projects(tx, "compute")
    for row in store.usage_by_project(tx):
        limits = common | own.get(row.project_id, {})
        over = [(n, int(getattr(row, n)), limits[n]) for n in ("instances", "cores", "ram")]
        over = [(name, used, limit) for name, used, limit in over if 0 <= limit < used]
        # A limit may be lowered below what is used already: only what was made since then breaks it.
        if over and not store.quota_changed_after(tx, row.project_id, row.newest):
            text = ", ".join(f"{used} of {limit} {name}" for name, used, limit in over)
            found.append((row.project_id, f"uses {text}"))
    return _all("quotas-are-kept", "project", found)


# ---- network -----------------------------------------------------------------------------------------------------


@_promise("No MAC address is in a network twice.", store.ports)
def macs_are_unique(tx: Tx) -> list[Violation]:
    rows = store.macs_twice(tx)
    return _all("macs-are-unique", "network", [(row.network_id, f"has {row.mac} {row.number} times") for row in rows])


@_promise("No address is given out twice in a network.", store.addresses)
def addresses_are_unique(tx: Tx) -> list[Violation]:
    rows = store.addresses_twice(tx)
    found = [(row.network_id, f"has given out {row.ip} {row.number} times") for row in rows]
    return _all("addresses-are-unique", "network", found)


@_promise("Every address given out belongs to a port and a subnet.", store.addresses)
def addresses_have_ports(tx: Tx) -> list[Violation]:
    found = [(row.port_id, f"is gone, and still has {row.ip}") for row in store.addresses_without_port(tx)]
    found += [(row.port_id, f"has {row.ip} of a subnet that is gone") for row in store.addresses_without_subnet(tx)]
    return _all("addresses-have-ports", "port", found)


@_promise("A port has the addresses that are given out to it, and no others.", store.ports)
def ports_have_their_addresses(tx: Tx) -> list[Violation]:
    found: list[tuple[str, str]] = []
    for rows, given in store.addresses_of_ports(tx):
        written: dict[str, set[tuple[str, str]]] = {}
        for one in given:
            written.setdefault(one.port_id, set()).add((one.subnet_id, one.ip))
        for row in rows:
            shown = {(fixed["subnet_id"], fixed["ip_address"]) for fixed in row.fixed_ips}
            if shown != written.get(row.id, set()):
                kept = sorted(ip for _, ip in written.get(row.id, ()))
                found.append((row.id, f"shows {sorted(ip for _, ip in shown)}, given out are {kept}"))
        if len(found) >= VIOLATIONS_MOST:
            break
    return _all("ports-have-their-addresses", "port", found[:VIOLATIONS_MOST])


@_promise("A port is in a network that is there.", store.ports)
def port_networks_exist(tx: Tx) -> list[Violation]:
    rows = store.ports_without_network(tx)
    return _all("port-networks-exist", "port", [(row.id, f"is in {row.network_id}, which is gone") for row in rows])


@_promise("A server's port has its server.", store.ports)
def port_servers_exist(tx: Tx) -> list[Violation]:
    rows = store.ports_without_server(tx)
    found = [(row.id, f"belongs to server {row.device_id or '(none)'}, which is gone") for row in rows]
    return _all("port-servers-exist", "port", found)


@_promise("A server's ports are bound to the server's host.", store.ports)
def ports_are_with_their_server(tx: Tx) -> list[Violation]:
    rows = store.ports_elsewhere(tx)
    found = [(r.id, f"is on {r.host or 'no host'}, its server on {r.server_host or 'no host'}") for r in rows]
    return _all("ports-are-with-their-server", "port", found)


@_promise("A server's port comes up on a host that answers.", store.ports, kind="liveness", grace_s=QUIET_S)
def ports_come_up(tx: Tx) -> list[Violation]:
    rows = store.unplugged_ports(tx, _heard_after())
    return _all("ports-come-up", "port", [(row.id, f"is DOWN on {row.host}, which answers") for row in rows])


@_promise("What a floating IP leads to is there.", store.floating_ips)
def floating_ips_lead_somewhere(tx: Tx) -> list[Violation]:
    rows = store.dangling_floating_ips(tx)
    found = [(r.id, f"{r.floating_ip_address} leads to port {r.port_id}, router {r.router_id}: lost") for r in rows]
    return _all("floating-ips-lead-somewhere", "floatingip", found)


@_promise("A router's gateway port is there.", store.routers)
def gateways_exist(tx: Tx) -> list[Violation]:
    rows = store.dangling_gateways(tx)
    return _all("gateways-exist", "router", [(row.id, f"has gateway port {row.gateway_port_id}: gone") for row in rows])


@_promise("Ports and security groups that are bound to each other are there.", store.group_ports)
def groups_have_ports(tx: Tx) -> list[Violation]:
    rows = store.dangling_groups(tx)
    found = [(row.security_group_id, f"is bound to port {row.port_id}; one of them is gone") for row in rows]
    return _all("groups-have-ports", "security_group", found)


# ---- what hosts say is there --------------------------------------------------------------------------------------


@_promise("No guest is on two hosts.", hosts, kind="liveness", grace_s=QUIET_S)
def guests_run_once(tx: Tx) -> list[Violation]:
    places: dict[str, list[str]] = {}
    for host, guests in store.guests_on_hosts(tx, _heard_after()).items():
        for id in guests:
            places.setdefault(id, []).append(host)
    found = [(id, f"is on {', '.join(sorted(names))}") for id, names in places.items() if len(names) > 1]
    return _all("guests-run-once", "server", found[:VIOLATIONS_MOST])


@_promise("No host has a guest that is not wanted there.", hosts, kind="liveness", grace_s=QUIET_S)
def guests_are_wanted(tx: Tx) -> list[Violation]:
    there = store.guests_on_hosts(tx, _heard_after())
    wanted = {row.id: row.host for row in store.server_places(tx)} if there else {}
    found = [
        (id, f"is on {host}, wanted {'on ' + wanted[id] if wanted.get(id) else 'nowhere'}")
        for host, guests in there.items() for id in guests if wanted.get(id) != host
    ]  # fmt: skip
    return _all("guests-are-wanted", "guest", found[:VIOLATIONS_MOST])


RUNNING = 1
"""power_state of a server whose guest runs."""


@_promise("A server that runs is on its host, and on.", store.servers, kind="liveness", grace_s=QUIET_S)
def servers_are_there(tx: Tx) -> list[Violation]:
    there = store.guests_on_hosts(tx, _heard_after())
    found = [
        (row.id, f"is to run on {row.host}, which says {there[row.host].get(row.id, 'that it is not there')}")
        for row in (store.server_places(tx) if there else [])
        if row.host in there and row.task_state is None and row.power_state == RUNNING
        and there[row.host].get(row.id) != "on"
    ]  # fmt: skip
    return _all("servers-are-there", "server", found[:VIOLATIONS_MOST])


# ---- hosts, work, images -----------------------------------------------------------------------------------------


@_promise("A host that answers takes up what is wanted of it.", hosts, kind="liveness", grace_s=QUIET_S)
def hosts_keep_up(tx: Tx) -> list[Violation]:
    return [
        Violation(
            "hosts-keep-up", "host", row.name, f"has applied {row.applied_revision} of {row.revision}",
            str(row.applied_revision),
        )
        for row in store.lagging_hosts(tx, _heard_after())
    ]  # fmt: skip


@_promise("No host knows a future that the database does not.", hosts)
def hosts_are_not_ahead(tx: Tx) -> list[Violation]:
    found = [(r.name, f"has applied {r.applied_revision}, wanted is {r.revision}") for r in store.hosts_ahead(tx)]
    return _all("hosts-are-not-ahead", "host", found)


@_promise("Work that is due is taken.", work, kind="liveness")
def work_is_taken(tx: Tx) -> list[Violation]:
    now = clock.now()
    rows = store.overdue_work(tx, now - OVERDUE_S)
    found = [(f"{row.kind} {row.key}", f"is due for {now - row.due_at:.0f} s and nobody takes it") for row in rows]
    return _all("work-is-taken", "work", found)


@_promise("Work that is taken succeeds at last.", work, kind="liveness")
def work_succeeds(tx: Tx) -> list[Violation]:
    rows = store.failing_work(tx, ATTEMPTS_MOST)
    found = [(f"{row.kind} {row.key}", f"has failed {row.attempts} times: {row.last_error[:200]}") for row in rows]
    return _all("work-succeeds", "work", found)


@_promise("An image that is being filled ends as active, or as queued again.", store.images, kind="liveness")
def images_get_done(tx: Tx) -> list[Violation]:
    rows = store.stuck_images(tx, clock.now() - OVERDUE_S)
    return _all("images-get-done", "image", [(row.id, f"is {row.status}, and nobody fills it") for row in rows])
