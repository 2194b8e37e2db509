"""What explaining costs: a full audit of 100,000 servers, state and history among 10^6 events, events on writes.

    .venv/bin/python bench/explain.py [--servers N] [--events N] [--only audit,history,writes] [--postgresql URL]

Prints CPU of this process, which holds the database too (SQLite), and with --postgresql of its backend.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from pilvi import main as program  # noqa: E402
from pilvi.kernel import clock, facts, history  # noqa: E402
from pilvi.kernel.config import CloudConfig, Config  # noqa: E402
from pilvi.kernel.db import Database, Tx, connect  # noqa: E402
from pilvi.kernel.migrate import migrate  # noqa: E402
from pilvi.ops.audit import service as audit  # noqa: E402
from pilvi.ops.explain import service as explain  # noqa: E402

AUDIT_GOAL_S, P99_GOAL_MS, OVERHEAD_GOAL = 5.0, 200.0, 0.15
STATE_OF_A_PORT = '{"status":"DOWN","name":"after","device_id":"","fixed_ips":[],"security_groups":[]}'
SERVERS_PER_HOST, SERVERS_PER_NETWORK, CHUNK = 100, 200, 10_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--only", default="audit,history,writes")
    parser.add_argument("--postgresql", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilvi-bench-") as folder:
        program.services_of(Config(cloud=CloudConfig(state_dir=Path(folder))))
        database = connect(arguments.postgresql or f"{folder}/cloud.db")
        migrate(database, list(program.SCHEMA))
        for name in arguments.only.split(","):
            {"audit": bench_audit, "history": bench_history, "writes": bench_writes}[name](database, arguments)
        database.close()
    return 0


def row(what: str, seen: str, goal: str, is_good: bool) -> None:
    print(f"{what:64} {seen:>14}   goal {goal:>10}   {'ok' if is_good else 'MISSED'}", flush=True)


def fill(database: Database, table: str, rows: Callable[[int], dict[str, Any]], count: int) -> None:
    """Rows in portions, around the memory of changes: a bench of reading needs no events of its own making."""
    names = list(rows(0))
    for start in range(0, count, CHUNK):
        values = [rows(number) for number in range(start, min(count, start + CHUNK))]

        def write(tx: Tx, values: list[dict[str, Any]] = values) -> None:
            marks = ", ".join(f"%({n})s" if tx.is_postgresql else f":{n}" for n in names)
            columns = ", ".join(f'"{n}"' for n in names)
            tx._connection.run_many(f"insert into {table} ({columns}) values ({marks})", values)

        database.write(write)


def uuid(prefix: int, number: int) -> str:
    return f"{prefix:08x}-0000-4000-8000-{number:012x}"


def bench_audit(database: Database, arguments: argparse.Namespace) -> None:
    count = arguments.servers
    build(database, count, clock.timestamp(), clock.now())
    for violation in database.read(audit.check_now)[:5]:
        print("unexpected:", violation)
    cpu_s, wall_s, times = 0.0, 0.0, {}
    at_server = backend_cpu_s(database)
    for invariant in audit.INVARIANTS:
        cpu, wall = time.process_time(), time.perf_counter()
        audit.examine(database, invariant, None)
        times[invariant.name] = (time.perf_counter() - wall, time.process_time() - cpu)
        wall_s, cpu_s = wall_s + times[invariant.name][0], cpu_s + times[invariant.name][1]
    spent = cpu_s + backend_cpu_s(database) - at_server
    row(f"audit: full pass, {count} servers", f"{spent:.2f} s", f"{AUDIT_GOAL_S:.0f} s", spent <= AUDIT_GOAL_S)
    slowest = sorted(times.items(), key=lambda item: -item[1][0])[:4]
    told = ", ".join(f"{name} {wall:.2f} s ({cpu:.2f} s CPU)" for name, (wall, cpu) in slowest)
    print(f"    {wall_s:.2f} s on the clock; slowest: {told}")


def backend_cpu_s(database: Database) -> float:
    """CPU of the PostgreSQL backend that serves us: one question after another goes to the same one."""

    def look(tx: Tx) -> float:
        if not tx.is_postgresql:
            return 0.0
        pid = tx._connection.run("select pg_backend_pid()", None)[0][0][0]
        used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(int(ticks) for ticks in used) / os.sysconf("SC_CLK_TCK")

    return database.read(look)


def build(database: Database, count: int, now: str, seen_at: float) -> None:
    """Servers with claims, ports and addresses, all in order."""
    hosts, networks = count // SERVERS_PER_HOST + 1, count // SERVERS_PER_NETWORK + 1
    standard = {"project_id": "p", "name": "", "description": "", "created_at": now, "updated_at": now, "revision": 0,
                "tags": ""}  # fmt: skip
    fill(database, "kernel_hosts", lambda n: {
        "name": f"host{n}", "id": uuid(1, n), "revision": 1, "applied_revision": 1, "seen_at": seen_at + 1e6,
        "started_at": now, "facts": "{}", "troubles": "{}"}, hosts)  # fmt: skip
    fill(database, "placement_providers", lambda n: {
        "uuid": uuid(1, n), "name": f"host{n}", "generation": 0, "parent_uuid": None, "root_uuid": uuid(1, n),
        "created_at": now, "updated_at": now}, hosts)  # fmt: skip
    classes = ("VCPU", "MEMORY_MB", "DISK_GB")

    def inventory(n: int) -> dict[str, Any]:
        held = max(0, min(SERVERS_PER_HOST, count - n // 3 * SERVERS_PER_HOST))
        return {"provider_uuid": uuid(1, n // 3), "resource_class": classes[n % 3], "total": 1000, "reserved": 0,
                "min_unit": 1, "max_unit": 1000, "step_size": 1, "allocation_ratio": 1.0, "used": held,
                "free": 1000 - held, "updated_at": now}  # fmt: skip

    fill(database, "placement_inventories", inventory, hosts * 3)
    fill(database, "placement_consumers", lambda n: {
        "uuid": uuid(2, n), "generation": 1, "project_id": "p", "user_id": "u", "consumer_type": "INSTANCE",
        "created_at": now, "updated_at": now}, count)  # fmt: skip
    fill(database, "placement_allocations", lambda n: {
        "consumer_uuid": uuid(2, n // 3), "provider_uuid": uuid(1, n // 3 // SERVERS_PER_HOST),
        "resource_class": classes[n % 3], "used": 1, "updated_at": now}, count * 3)  # fmt: skip
    fill(database, "compute_servers", lambda n: {
        "id": uuid(2, n), "name": f"s{n}", "hostname": f"s{n}", "project_id": f"p{n % 10_000}", "user_id": "u",
        "flavor": '{"id":"1","name":"f"}', "vcpus": 1, "memory_mib": 1, "image_id": "i", "image": "{}",
        "config_drive": False, "metadata": "{}", "tags": "[]", "admin_password": "", "access_ip_v4": "",
        "access_ip_v6": "", "disk_config": "MANUAL", "availability_zone": "nova", "reservation_id": "r",
        "launch_index": 0, "created_at": now, "updated_at": now, "host": f"host{n // SERVERS_PER_HOST}",
        "vm_state": "active", "task_state": None, "task_since": 0.0, "power_state": 1, "wanted_power": "on",
        "generation": 1, "seen_generation": 1, "reboot_generation": 0, "reboot_kind": "soft", "request_id": "r"},
        count)  # fmt: skip
    fill(database, "network_networks", lambda n: standard | {
        "id": uuid(3, n), "admin_state_up": True, "mtu": 1450, "external": False, "is_default": False,
        "port_security_enabled": True, "network_type": "vxlan", "segmentation_id": n + 1, "zone": n + 1,
        "dns_domain": "", "availability_zone_hints": "[]", "physical_network": None}, networks)  # fmt: skip
    fill(database, "network_subnets", lambda n: standard | {
        "id": uuid(4, n), "network_id": uuid(3, n), "ip_version": 4, "cidr": "10.0.0.0/16", "enable_dhcp": True,
        "allocation_pools": "[]", "dns_nameservers": "[]", "host_routes": "[]", "service_types": "[]",
        "dns_publish_fixed_ip": False}, networks)  # fmt: skip

    def address(n: int) -> tuple[str, str, str]:
        place = n // SERVERS_PER_NETWORK
        return uuid(3, place), uuid(4, place), f"10.0.{n % SERVERS_PER_NETWORK // 250}.{n % 250}"

    def port(n: int) -> dict[str, Any]:
        network, subnet, ip = address(n)
        fixed = f'[{{"subnet_id":"{subnet}","ip_address":"{ip}"}}]'
        return standard | {
            "id": uuid(5, n), "network_id": network, "mac": f"fa:16:{n >> 24 & 255:02x}:{n >> 16 & 255:02x}:"
            f"{n >> 8 & 255:02x}:{n & 255:02x}", "admin_state_up": True, "status": "ACTIVE", "device_id": uuid(2, n),
            "device_owner": "compute:nova", "host": f"host{n // SERVERS_PER_HOST}", "host_revision": 1,
            "vnic_type": "normal", "profile": "{}", "fixed_ips": fixed, "security_groups": "[]",
            "port_security_enabled": True, "allowed_address_pairs": "[]", "extra_dhcp_opts": "[]", "dns_name": "",
            "dns_domain": "", "attached": True, "made_by_compute": True}  # fmt: skip

    fill(database, "network_ports", port, count)
    fill(database, "network_ip_allocations", lambda n: dict(
        zip(("network_id", "subnet_id", "ip"), address(n), strict=True)) | {"port_id": uuid(5, n)}, count)  # fmt: skip
    database.write(lambda tx: tx._connection.run("analyze", None if tx.is_postgresql else {}))


def bench_history(database: Database, arguments: argparse.Namespace) -> None:
    """A tenth of the events belongs to ten busy resources, the rest to twenty thousand others."""
    count, others = arguments.events, 20_000
    changes = '"changes":{"status":["ACTIVE","DOWN"],"name":["before","after"]}'
    detail, telling = f'{{"what":"changed",{changes}}}', f'{{"what":"changed",{changes},"state":{STATE_OF_A_PORT}}}'
    begun = clock.now() - 29 * 86400.0

    def event(n: int) -> dict[str, Any]:
        id = uuid(9, n // 10 % 10) if n % 10 == 0 else uuid(8, n % others)
        at = clock.timestamp(begun + n * 29 * 86400.0 / count)
        return {"at": at, "request_id": f"req-{n // 3}",
                "user_id": "u", "project_id": "p", "resource_type": "port", "resource_id": id,
                "resource_name": f"name-{id[-6:]}",
                "step": "api network PUT /v2.0/ports/{id}", "outcome": "done", "duration_ms": 3.2,
                "detail": telling if history.carries_state(id, at) else detail}  # fmt: skip

    fill(database, "kernel_events", event, count)
    database.write(lambda tx: tx._connection.run("analyze", None if tx.is_postgresql else {}))
    few, busy = [uuid(8, n * 37 % others) for n in range(300)], [uuid(9, n % 10) for n in range(300)]
    days = [clock.timestamp(begun + n % 29 * 86400.0) for n in range(300)]
    for whose, ids in (("an ordinary resource", few), (f"one with {count // 100} events", busy)):
        timed(
            database,
            f"show --at of {whose}, {count} events",
            [partial(explain.state_at, what=one, moment=day) for one, day in zip(ids, days, strict=True)],
        )
        timed(
            database,
            f"history of {whose}, 50 changes",
            [partial(explain.history_of, what=one, limit=50) for one in ids],
        )
        timed(database, f"history of {whose}, 50 from anywhere",
              [partial(explain.history_of, what=one, limit=50, before=(day, 0))
               for one, day in zip(ids, days, strict=True)])  # fmt: skip


def timed(database: Database, what: str, asked: list[Callable[[Tx], Any]]) -> None:
    took, cpu = [], []
    for ask in asked:
        started, cpu_started = time.perf_counter(), time.thread_time()
        database.read(ask)
        took.append((time.perf_counter() - started) * 1000)
        cpu.append((time.thread_time() - cpu_started) * 1000)
    p99, p99_cpu = statistics.quantiles(took, n=100)[98], statistics.quantiles(cpu, n=100)[98]
    row(f"p99: {what}", f"{p99:.1f} ms", f"{P99_GOAL_MS:.0f} ms", p99 <= P99_GOAL_MS)
    print(f"    of which CPU {p99_cpu:.1f} ms; median {statistics.median(took):.1f} ms")


def bench_writes(database: Database, arguments: argparse.Namespace) -> None:
    """A network, a subnet and a port through the whole API in process, with and without what this room adds."""
    from tests.contract.conftest import furnish, open_cloud, settle

    with tempfile.TemporaryDirectory(prefix="pilvi-bench-") as folder:
        fresh = connect(f"{folder}/writes.db")
        furnish(fresh)
        cloud = settle(open_cloud(fresh, Path(folder))).as_admin().at("/network/v2.0")
        project = cloud.facts["demo"]
        body = {"quota": {"network": -1, "subnet": -1, "port": -1}}
        assert cloud.put(f"/quotas/{project}", body).status == 200
        member = cloud.as_member()
        with_events: list[float] = []
        without: list[float] = []
        for number in range(800):  # In turns, because the machine may be busy with something else for a while.
            turned_off = number % 2 == 1
            with without_events() if turned_off else nullcontext():
                started = time.process_time()
                round_of(member)
                (without if turned_off else with_events).append((time.process_time() - started) * 1000)
        ours, bare = statistics.median(with_events), statistics.median(without)
        added = ours / bare - 1
        row("create network+subnet+port: CPU added by events with changes", f"{added:.1%}", f"{OVERHEAD_GOAL:.0%}",
            added <= OVERHEAD_GOAL)  # fmt: skip
        print(f"    {ours:.2f} ms CPU with before and after in the events, {bare:.2f} ms without any event")
        fresh.close()


def round_of(client: Any) -> None:
    network = client.post("/networks", {"network": {"name": "n"}}).body["network"]["id"]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/24"}
    assert client.post("/subnets", {"subnet": subnet}).status == 201
    assert client.post("/ports", {"port": {"network_id": network}}).status == 201


@contextmanager
def without_events() -> Iterator[None]:
    request, remembered = facts.request, {t.kind: t.table.info.pop("remembered") for t in history.TRACKED.values()}
    facts.request = lambda *_, **__: None
    try:
        yield
    finally:
        facts.request = request
        for kind, tracked in history.TRACKED.items():
            tracked.table.info["remembered"] = remembered[kind]


if __name__ == "__main__":
    sys.exit(main())
