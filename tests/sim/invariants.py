"""What must hold: in every durable state (safety), and once nothing disturbs any more (liveness).

An invariant is a function that returns what breaks it, in words; an empty list is good news.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from pilvi.compute.hosts import service as agents_side
from pilvi.kernel import hosts as kernel_hosts
from pilvi.kernel.db import Tx
from pilvi.network import facade as network
from pilvi.network.drivers.protocol import HostState
from pilvi.network.drivers.vet import vet
from tests.sim.live import files_of

if TYPE_CHECKING:
    from tests.sim.world import World

Check = Callable[[Tx], list[str]]
TOOL = "0fe0a70f-"
"""How the ids begin of consumers that the operator's tool makes."""


@dataclass
class Memory:
    """What earlier states were like, for invariants about steps from one to the next."""

    usage: dict[tuple[str, str], int] = field(default_factory=dict)
    documents: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    looks: int = 0


def rows(tx: Tx, sql: str) -> list[tuple[Any, ...]]:
    return list(tx._connection.run(sql, {})[0])


# ---- safety ------------------------------------------------------------------------------------------------------


def claims_within_capacity(tx: Tx) -> list[str]:
    """Nobody ever holds more of a host than it has; what is kept as used is what is held."""
    sql = """
        select p.name, i.resource_class, i.used, i.total, i.reserved, i.allocation_ratio,
               (select coalesce(sum(a.used), 0) from placement_allocations a
                where a.provider_uuid = i.provider_uuid and a.resource_class = i.resource_class) as held
        from placement_inventories i join placement_providers p on p.uuid = i.provider_uuid"""
    found = []
    for name, kind, used, total, reserved, ratio, held in rows(tx, sql):
        if held > (total - reserved) * ratio:
            found.append(f"{name} has {(total - reserved) * ratio} of {kind}, {held} are held")
        if used != held:
            found.append(f"{name} counts {used} of {kind} as used, {held} are held")
    return found


def claims_are_servers(tx: Tx) -> list[str]:
    """A server on a host holds what its flavor says there; nobody else holds anything."""
    held: dict[str, dict[str, int]] = {}
    places: dict[str, set[str]] = {}
    sql = """select a.consumer_uuid, p.name, a.resource_class, a.used from placement_allocations a
             join placement_providers p on p.uuid = a.provider_uuid"""
    for consumer, host, kind, used in rows(tx, sql):
        if consumer.startswith(TOOL):  # An operator's tool keeps books of its own.
            continue
        held.setdefault(consumer, {})[kind] = used
        places.setdefault(consumer, set()).add(host)
    found = []
    for id, host, vcpus, memory_mib in rows(tx, "select id, host, vcpus, memory_mib from compute_servers"):
        has = held.pop(id, {})
        if host is None:
            found += [f"server {id} is on no host and holds {has}"] if has else []
        elif (has.get("VCPU"), has.get("MEMORY_MB")) != (vcpus, memory_mib) or places[id] != {host}:
            found.append(f"server {id} on {host} holds {has} of {places.get(id)}")
    return found + [f"{consumer} holds {amounts} and is no server" for consumer, amounts in held.items()]


def addresses_are_unique(tx: Tx) -> list[str]:
    """No address and no MAC is twice in a network, and ports have exactly the addresses that are kept for them."""
    found = [
        f"{ip} is {count} times in network {network_id}"
        for network_id, ip, count in rows(
            tx, "select network_id, ip, count(*) from network_ip_allocations group by 1, 2 having count(*) > 1"
        )
    ]
    found += [
        f"{mac} is {count} times in network {network_id}"
        for network_id, mac, count in rows(
            tx, "select network_id, mac, count(*) from network_ports group by 1, 2 having count(*) > 1"
        )
    ]
    kept = {
        (port, subnet, ip) for port, subnet, ip in rows(tx, "select port_id, subnet_id, ip from network_ip_allocations")
    }
    had = [
        (id, fixed["subnet_id"], fixed["ip_address"])
        for id, text in rows(tx, "select id, fixed_ips from network_ports")
        for fixed in orjson.loads(text)
    ]
    if len(had) != len(set(had)) or kept != set(had):
        found.append(f"ports and kept addresses differ: {sorted(kept ^ set(had))[:4]}")
    return found


def floating_ips_are_whole(tx: Tx) -> list[str]:
    """A floating IP has its own port with its address, and what it points to is there and has the address."""
    sql = """
        select f.id, f.floating_ip_address, f.port_id, f.fixed_ip_address, f.router_id, own.fixed_ips, p.fixed_ips, r.id
        from network_floating_ips f left join network_ports own on own.id = f.floating_port_id
        left join network_ports p on p.id = f.port_id left join network_routers r on r.id = f.router_id"""
    found = []
    for id, address, port_id, fixed_ip, router_id, own, target, router in rows(tx, sql):
        if own is None or address not in [one["ip_address"] for one in orjson.loads(own)]:
            found.append(f"floating IP {id} has no port with {address}")
        if port_id is not None and (target is None or fixed_ip not in [o["ip_address"] for o in orjson.loads(target)]):
            found.append(f"floating IP {id} points to {fixed_ip} of port {port_id}, which does not have it")
        if router_id is not None and router is None:
            found.append(f"floating IP {id} is on router {router_id}, which is gone")
    return found


def ports_belong_somewhere(tx: Tx) -> list[str]:
    """No port without its network, no server's or router's port without the server or router, all on one host."""
    sql = """
        select p.id, p.device_owner, p.device_id, p.host, n.id, s.id, s.host, r.id, r.host from network_ports p
        left join network_networks n on n.id = p.network_id left join compute_servers s on s.id = p.device_id
        left join network_routers r on r.id = p.device_id"""
    found = []
    for id, owner, device, host, net, server, server_host, router, router_host in rows(tx, sql):
        if net is None:
            found.append(f"port {id} has no network")
        if owner.startswith("compute:") and server is None:
            found.append(f"port {id} belongs to server {device}, which is gone")
        if owner.startswith("compute:") and server is not None and host != (server_host or ""):
            found.append(f"port {id} is on {host}, its server on {server_host}")
        if owner in ("network:router_interface", "network:router_gateway"):
            if router is None:
                found.append(f"port {id} belongs to router {device}, which is gone")
            elif host != router_host:
                found.append(f"port {id} is on {host}, its router on {router_host}")
    return found


def groups_are_whole(tx: Tx) -> list[str]:
    """Ports, groups and the table between them say the same; rules belong to groups that there are."""
    bound = set(rows(tx, "select port_id, security_group_id from network_security_group_ports"))
    said = {
        (id, group)
        for id, text in rows(tx, "select id, security_groups from network_ports")
        for group in orjson.loads(text)
    }
    found = [f"ports and group bindings differ: {sorted(bound ^ said)[:4]}"] if bound != said else []
    known = {id for (id,) in rows(tx, "select id from network_security_groups")}
    found += [f"port {port} has group {group}, which is gone" for port, group in said if group not in known]
    orphans = rows(tx, "select id, security_group_id, remote_group_id from network_security_group_rules")
    return found + [f"rule {id} is about a group that is gone" for id, own, remote in orphans
                    if own not in known or (remote is not None and remote not in known)]  # fmt: skip


def transitions_are_watched(tx: Tx) -> list[str]:
    """A server in transition has a row in the work table."""
    sql = """select s.id, s.task_state from compute_servers s where s.task_state is not null
             and not exists (select 1 from kernel_work w where w.kind = 'server' and w.key = s.id)"""
    return [f"server {id} is {task} and nobody watches" for id, task in rows(tx, sql)]


def states_are_sane(tx: Tx) -> list[str]:
    """A server is on a host unless it is in error; a fault is told; generations count up to what is wanted."""
    sql = "select id, host, vm_state, task_state, fault, generation, seen_generation from compute_servers"
    found = []
    for id, host, state, task, fault, generation, seen in rows(tx, sql):
        if host is None and (state != "error" or task is not None):
            found.append(f"server {id} is {state}, {task} on no host")
        if host is None and fault is None:
            found.append(f"server {id} is on no host and does not say why")
        if seen > generation:
            found.append(f"server {id} was seen at {seen}, wanted is {generation}")
    return found


def loops_do_not_fail(tx: Tx) -> list[str]:
    """A loop waits or finishes; what it raises is a bug, unless the database was away."""
    sql = "select kind, key, last_error from kernel_work where attempts > 0"
    return [f"{kind} {key}: {error}" for kind, key, error in rows(tx, sql) if "atabase" not in error]


def quota_is_kept(tx: Tx, memory: Memory) -> list[str]:
    """Use grows only within the limit. (An operator may set a limit below what is in use.)"""
    defaults = {"instances": 10, "cores": 20, "ram": 51200, "network": 100, "port": 500, "floatingip": 50, "router": 10}
    limits = {(p, r): n for p, r, n in rows(tx, 'select project_id, resource, "limit" from kernel_quotas')}
    use: dict[tuple[str, str], int] = {}
    sql = """select project_id, count(*), sum(vcpus), sum(memory_mib) from compute_servers
             where wanted_power != 'absent' group by 1"""
    for project, count, vcpus, memory_mib in rows(tx, sql):
        use |= {(project, "instances"): count, (project, "cores"): vcpus, (project, "ram"): memory_mib}
    tables = {"network": "networks", "floatingip": "floating_ips", "router": "routers"}
    sql = "select project_id, sum(device_owner not like 'network:%') from network_ports group by 1"
    for project, own in rows(tx, sql):  # What the cloud itself plugs in is never refused.
        grew = own > memory.usage.get((project, "own port"), 0)
        use |= {(project, "own port"): own, (project, "port"): own if grew else 0}
    for resource, table in tables.items():
        use |= {(p, resource): n for p, n in rows(tx, f"select project_id, count(*) from network_{table} group by 1")}
    found = []
    for (project, resource), amount in use.items():
        limit = limits.get((project, resource), defaults.get(resource, -1))
        if project and 0 <= limit < amount and amount > memory.usage.get((project, resource), 0):
            found.append(f"project {project} has {amount} of {resource}, allowed are {limit}")
    memory.usage = use
    return found


def changes_raise_the_revision(tx: Tx, memory: Memory) -> list[str]:
    """Whenever what a host should do changes, its revision counts up: else it would never hear of it."""
    memory.looks += 1  # A change is seen at the next look just as well: one host at a time is enough.
    found = []
    every = kernel_hosts.all_hosts(tx)
    for host in every[memory.looks % len(every) :][:1] if every else []:
        guests = agents_side.servers.with_nics(tx, agents_side.servers.on_host(tx, host.name))
        wanted = [agents_side.wanted(server) for server in guests]
        document = orjson.dumps([wanted, network.host_state(tx, host.name)])
        known = memory.documents.get(host.name)
        if known is not None and known[0] == host.revision and known[1] != document:
            found.append(f"{host.name} is still at {host.revision}, and now: {_difference(known[1], document)}")
        if known is not None and host.revision < known[0]:
            found.append(f"the revision of {host.name} fell from {known[0]} to {host.revision}")
        memory.documents[host.name] = (host.revision, document)
    return found


def _difference(before: bytes, after: bytes) -> str:
    start = next((i for i, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    return f"...{before[max(0, start - 150) : start + 100]!r} -> {after[start : start + 100]!r}"


def names_are_unique(tx: Tx) -> list[str]:
    """People name what they make, each thing by a name of its own: two of a name came of one request."""
    found = []
    for table, owner in NAMED.items():
        sql = f"select name, count(*) from {table} where name like '%-%' group by 1 having count(*) > 1"
        found += [f"{count} {owner} are called {name}" for name, count in rows(tx, sql)]
    return found


NAMED = {
    "compute_servers": "servers", "network_networks": "networks", "network_ports": "ports",
    "network_routers": "routers", "network_security_groups": "groups", "image_images": "images",
}  # fmt: skip

SAFETY: dict[str, Check] = {
    "one request makes one thing": names_are_unique,
    "claims within capacity": claims_within_capacity,
    "claims are servers": claims_are_servers,
    "addresses are unique": addresses_are_unique,
    "floating IPs are whole": floating_ips_are_whole,
    "ports belong somewhere": ports_belong_somewhere,
    "groups are whole": groups_are_whole,
    "transitions are watched": transitions_are_watched,
    "states are sane": states_are_sane,
    "loops do not fail": loops_do_not_fail,
}
SUBJECTS = frozenset({
    "compute_servers", "placement_allocations", "placement_inventories", "network_ports", "network_networks",
    "network_subnets", "network_ip_allocations", "network_floating_ips", "network_routers", "network_security_groups",
    "network_security_group_rules", "network_security_group_ports", "kernel_quotas", "compute_keypairs",
    "image_images",
})  # fmt: skip
"""A transaction that changes none of these tables can break only what is said of the work table."""
SAFETY_WITH_MEMORY: dict[str, Callable[[Tx, Memory], list[str]]] = {
    "quota is kept": quota_is_kept,
    "changes raise the revision": changes_raise_the_revision,
}


def images_are_there(world: World) -> list[str]:
    """The bytes of an image that may be read are in every store that its row names."""
    found = []
    for id, status, size, places, _, _ in world.database.look(_images):
        for store in (one["store"] for one in places if "url" not in one):
            path = world.stores.get(store).directory / id
            if not path.is_file() or path.stat().st_size != size:
                found.append(f"image {id} is {status}, its bytes are not in store {store}")
    return found


def _images(tx: Tx) -> list[tuple[str, str, int | None, list[dict[str, Any]], str | None, str | None]]:
    sql = "select id, status, size, locations, os_hash_algo, os_hash_value from image_images"
    return [(id, status, size, orjson.loads(places or "[]"), algo, digest)
            for id, status, size, places, algo, digest in rows(tx, sql)]  # fmt: skip


def no_guest_runs_twice(world: World) -> list[str]:
    """One guest, one host: else two would write to one disk."""
    where: dict[str, list[str]] = {}
    for name, host in world.hosts.items():
        for id, guest in host.hypervisor._guests.items():
            if guest.observed.power in ("on", "paused"):
                where.setdefault(id, []).append(name)
    return [f"guest {id} runs on {places}" for id, places in where.items() if len(places) > 1]


def the_gone_stay_gone(world: World) -> list[str]:
    """A server whose row is gone runs nowhere: its addresses and its place may be somebody else's already."""
    there = {id for (id,) in world.database.look(lambda tx: rows(tx, "select id from compute_servers"))}
    return [
        f"guest {id} runs on {name}, its server is gone"
        for name, host in world.hosts.items()
        for id, guest in host.hypervisor._guests.items()
        if id not in there and guest.observed.power in ("on", "paused")
    ]


# ---- liveness ----------------------------------------------------------------------------------------------------


def everything_is_final(world: World) -> list[str]:
    sql = "select id, vm_state, task_state from compute_servers where task_state is not null or vm_state = 'building'"
    return [
        f"server {id} is still {state}, {task}" for id, state, task in world.database.look(lambda tx: rows(tx, sql))
    ]


def no_work_is_left(world: World) -> list[str]:
    sql = "select kind, key, last_error from kernel_work where kind != 'retention'"
    return [f"{kind} {key} is still due: {error}" for kind, key, error in world.database.look(lambda tx: rows(tx, sql))]


def guests_are_as_wanted(world: World) -> list[str]:
    """Wanted equals observed, and nothing runs that nobody wants. What is in error was given up, and says so."""
    sql = "select id, host, wanted_power, vm_state, generation, power_state from compute_servers where host is not null"
    wanted: dict[str, dict[str, tuple[Any, ...]]] = {name: {} for name in world.hosts}
    for id, host, power, state, generation, shown in world.database.look(lambda tx: rows(tx, sql)):
        wanted[host][id] = (power, state, generation, shown)
    found = []
    for name, host in world.hosts.items():
        guests = host.hypervisor._guests
        found += [f"guest {id} is left on {name}" for id in guests.keys() - wanted[name].keys()]
        for id, (power, state, generation, shown) in wanted[name].items():
            if state == "error":
                continue
            guest = guests.get(id)
            observed = None if guest is None else guest.observed
            if observed is None or observed.power != power or observed.generation != generation:
                found.append(f"server {id} on {name} should be {power} at {generation}; it is {observed}")
            elif shown != {"on": 1, "paused": 3, "off": 4}[power]:
                found.append(f"server {id} is {power} and shows power state {shown}")
    return found


def networks_are_as_wanted(world: World) -> list[str]:
    found = []
    for name, host in world.hosts.items():
        state = HostState.from_json(world.database.look(lambda tx, name=name: network.host_state(tx, name)))
        if vet(state).state != host.network_host.state:
            found.append(f"the network of {name} is not what is wanted")
    sql = """select id, status, host from network_ports where host != '' and admin_state_up and status != 'ACTIVE'"""
    return found + [
        f"port {id} on {host} is {status}" for id, status, host in world.database.look(lambda tx: rows(tx, sql))
    ]


STAGED = "select id from image_images where status = 'uploading' and upload_id = ''"
"""Their owners have sent bytes and not yet said what is to be done with them."""


def images_are_whole(world: World) -> list[str]:
    """Every file is what its image's row says, nothing lies around, and no transfer hangs."""
    there = world.database.look(_images)
    staged = {id for (id,) in world.database.look(lambda tx: rows(tx, STAGED))}
    found = [f"image {id} is still {status}" for id, status, *_ in there
             if status not in ("queued", "active", "deactivated") and id not in staged]  # fmt: skip
    files = files_of(world.stores)
    found += [f"the staged bytes of image {id} are gone" for id in staged if not files["staging"].pop(id, None)]
    for id, _, _, places, algorithm, digest in there:
        for store in (one["store"] for one in places if "url" not in one):
            path = files[store].pop(id, None)
            if path is None or hashlib.new(algorithm or "", path.read_bytes()).hexdigest() != digest:
                found.append(f"the bytes of image {id} in store {store} are not those that were sent")
    found += [f"{name} is left in store {store}" for store, names in files.items() for name in names]
    open_tasks = world.database.look(lambda tx: rows(tx, "select id, status from image_tasks"))
    return found + [f"task {id} is still {status}" for id, status in open_tasks if status in ("pending", "processing")]


def revisions_are_applied(world: World) -> list[str]:
    found = []
    for host in world.database.look(kernel_hosts.all_hosts):
        if host.applied_revision != host.revision:
            found.append(f"{host.name} is at {host.applied_revision}, wanted is {host.revision}")
        remembered = world.hosts[host.name].remembered_revision()
        if remembered != host.revision:
            found.append(f"{host.name} remembers {remembered}, wanted is {host.revision}")
    return found


SOON = ("everything is final", "guests are as wanted", "networks are as wanted", "revisions are applied")
"""What settles without anybody's deadline; the rest may have to wait for leases taken under a wrong clock."""
LIVENESS: dict[str, Callable[[World], list[str]]] = {
    "everything is final": everything_is_final,
    "no work is left": no_work_is_left,
    "guests are as wanted": guests_are_as_wanted,
    "networks are as wanted": networks_are_as_wanted,
    "revisions are applied": revisions_are_applied,
    "images are whole": images_are_whole,
}


def nothing_is_left(world: World) -> list[str]:
    """After everything was deleted: no claim, port, address, guest or network anywhere."""
    tables = (
        "compute_servers", "placement_allocations", "placement_consumers", "network_ports", "network_ip_allocations",
        "network_networks", "network_subnets", "network_routers", "network_floating_ips",
    )  # fmt: skip
    found = []
    for table in tables:  # What an operator's tool made is that tool's.
        ((count,),) = world.database.look(lambda tx, table=table: rows(tx, f"select count(*) from {table}"))
        found += [f"{count} rows are left in {table}"] if count else []
    for name, host in world.hosts.items():
        if host.hypervisor._guests:
            found.append(f"{len(host.hypervisor._guests)} guests are left on {name}")
        if host.network_host.state != HostState():
            found.append(f"{name} still has a network")
    return found + _images_left(world)


def _images_left(world: World) -> list[str]:
    """But for those that belong to the operator."""
    sql = "select id from image_images where owner = (select id from identity_projects where name = 'admin')"
    kept = {id for (id,) in world.database.look(lambda tx: rows(tx, sql))}
    return [
        f"{path.name} is left in store {store}"
        for store, files in files_of(world.stores).items()
        for path in files.values()
        if path.name not in kept
    ]
