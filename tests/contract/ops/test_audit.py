"""The auditor finds nothing in a cloud that works, and everything that somebody breaks behind its back."""

from typing import Any

import pytest
import sqlalchemy as sa

from pilvi.kernel import clock, facts, work
from pilvi.kernel.db import Database, Tx, metadata
from pilvi.ops import make_migration
from pilvi.ops.audit import service, store
from pilvi.ops.audit.model import Violation, ripen
from tests.contract.client import Client
from tests.contract.compute.conftest import Boot

LIVENESS = {i.name for i in service.INVARIANTS if i.kind == "liveness"}


def run(database: Database, *statements: str) -> None:
    """SQL behind everybody's back."""
    database.write(lambda tx: [tx._connection.run(one, None if tx.is_postgresql else {}) for one in statements])


def violated(database: Database) -> set[str]:
    return {found.invariant for found in database.read(service.check_now)}


def furnish(boot: Boot) -> str:
    """A server with a floating IP behind a router: something of everything that is audited."""
    admin, member = boot.cloud.as_admin().at("/network/v2.0"), boot.cloud.at("/network/v2.0")
    net = {"name": "public", "router:external": True, "provider:network_type": "flat"}
    public = admin.post("/networks", {"network": net | {"provider:physical_network": "external"}}).body["network"]["id"]
    outer = {"network_id": public, "cidr": "203.0.113.0/24", "ip_version": 4, "enable_dhcp": False}
    assert admin.post("/subnets", {"subnet": outer}).status == 201
    gateway = {"external_gateway_info": {"network_id": public}}
    router = member.post("/routers", {"router": {"name": "r"} | gateway}).body["router"]["id"]
    subnet = member.get(f"/subnets?network_id={boot.network_id}").body["subnets"][0]["id"]
    assert member.put(f"/routers/{router}/add_router_interface", {"subnet_id": subnet}).status == 200
    server = boot("one")
    port = member.get(f"/ports?device_id={server}").body["ports"][0]["id"]
    body = {"floatingip": {"floating_network_id": public, "port_id": port}}
    assert member.post("/floatingips", body).status == 201
    boot.node.turn()
    return server


def test_every_column_that_the_auditor_names_exists() -> None:
    for service_name in ("compute", "network", "placement", "image"):
        make_migration.load_tables(service_name)
    missing = [
        f"{light.name}.{column.name}"
        for light in store.LIGHT
        for column in light.columns
        if column.name not in metadata.tables[light.name].c
    ]
    assert missing == []


def test_a_cloud_that_works_keeps_every_promise(boot: Boot) -> None:
    server = furnish(boot)
    assert boot.cloud.database.read(service.check_now) == []
    for verb in ("os-stop", "os-start", "pause", "unpause"):
        assert boot.cloud.post(f"/servers/{server}/action", {verb: None}).status == 202
        assert violated(boot.cloud.database) <= LIVENESS
        boot.node.turn()
    assert boot.cloud.delete(f"/servers/{server}").status == 204
    assert violated(boot.cloud.database) <= LIVENESS
    boot.node.turn()
    boot.node.turn()  # What the delete of the ports changed.
    assert boot.cloud.database.read(service.check_now) == []


ANOTHER_HOST = "insert into kernel_hosts values ('two', 'two', 1, 1, 9e9, '', '{}', '{}')"
BREAKAGES = [
    ("claims-fit", "update placement_inventories set used = used + 100000, free = free - 100000"),
    ("claims-add-up", "update placement_inventories set used = used + 1, free = free - 1"),
    ("claims-add-up", "update placement_inventories set free = free + 1"),
    ("claims-add-up", "delete from placement_inventories where resource_class = 'VCPU'"),
    ("claims-have-servers", "delete from compute_servers"),
    ("servers-have-claims", "delete from placement_allocations"),
    ("servers-have-claims", "update placement_providers set name = 'elsewhere'"),
    ("server-hosts-exist", "delete from kernel_hosts"),
    ("transitions-are-watched", "delete from kernel_work; update compute_servers set task_state = 'rebooting'"),
    ("transitions-end", "update compute_servers set task_state = 'rebooting', task_since = 1000"),
    ("servers-are-as-wanted", "update compute_servers set wanted_power = 'off'"),
    ("servers-are-confirmed", "update compute_servers set generation = generation + 1"),
    ("quotas-are-kept", "update compute_servers set vcpus = 1000"),
    ("macs-are-unique", "update network_ports set mac = 'fa:16:3e:00:00:01'"),
    ("addresses-are-unique", "update network_ip_allocations set ip = '10.0.0.9', subnet_id = port_id"),
    ("addresses-have-ports", "delete from network_ports"),
    ("addresses-have-ports", "delete from network_subnets"),
    ("ports-have-their-addresses", "update network_ports set fixed_ips = '[]'"),
    ("ports-have-their-addresses", "delete from network_ip_allocations"),
    ("port-networks-exist", "delete from network_networks"),
    ("port-servers-exist", "delete from compute_servers"),
    ("ports-are-with-their-server", "update network_ports set host = 'elsewhere'"),
    ("ports-come-up", "update network_ports set status = 'DOWN'"),
    ("floating-ips-lead-somewhere", "update network_floating_ips set port_id = 'nowhere'"),
    ("gateways-exist", "update network_routers set gateway_port_id = 'nowhere'"),
    ("groups-have-ports", "delete from network_security_groups"),
    ("guests-run-once", f"{ANOTHER_HOST}; update kernel_hosts set facts = '{{\"guests\":{{\"g\":\"on\"}}}}'"),
    ("guests-are-wanted", "update kernel_hosts set facts = '{\"guests\":{\"g\":\"on\"}}'"),
    ("servers-are-there", "update kernel_hosts set facts = '{\"guests\":{}}'"),
    ("hosts-keep-up", "update kernel_hosts set revision = revision + 1"),
    ("hosts-are-not-ahead", "update kernel_hosts set revision = 0"),
    ("work-is-taken", "update kernel_work set due_at = 1000"),
    ("work-succeeds", "update kernel_work set attempts = 50"),
    ("images-get-done", "update image_images set status = 'saving', busy_until = 1000"),
]  # fmt: skip


def test_every_invariant_is_broken_by_some_test() -> None:
    assert {name for name, _ in BREAKAGES} == {invariant.name for invariant in service.INVARIANTS}


@pytest.fixture
def furnished(boot: Boot) -> Client:
    furnish(boot)
    boot.cloud.database.write(lambda tx: work.poke(tx, "server", "somebody", after_s=1000.0))
    return boot.cloud


class _Undo(Exception):
    """Takes a breakage back."""


def found_when(database: Database, statements: list[str]) -> set[str]:
    """What the auditor would say of a breakage, which does not last."""
    found: set[str] = set()

    def breaking(tx: Tx) -> None:
        for statement in statements:
            tx._connection.run(statement, None if tx.is_postgresql else {})
        found.update(violation.invariant for violation in service.check_now(tx))
        raise _Undo

    with pytest.raises(_Undo):
        database.write(breaking)
    return found


def test_what_is_broken_is_found(furnished: Client) -> None:
    database = furnished.database
    assert violated(database) == set()
    missed = []
    for name, statement in BREAKAGES:
        first = ["drop index network_ports_by_mac"] if name == "macs-are-unique" else []
        found = found_when(database, [*first, *statement.split("; ")])
        missed += [f"{name}: {statement}; found {sorted(found)}"] if name not in found else []
    assert missed == []
    assert violated(database) == set()


def test_a_violation_is_an_alarm_once_and_its_end_is_told(furnished: Client) -> None:
    database = furnished.database
    assert {v.name: v.violations for v in service.turn(database)} == {i.name: 0 for i in service.INVARIANTS}
    run(database, "update placement_inventories set free = free + 1 where resource_class = 'VCPU'")
    for _ in range(2):
        service.turn(database)
    found = {v.name: v for v in database.read(service.verdicts)}["claims-add-up"]
    assert found.violations == 1
    assert found.since is not None
    assert found.examples[0]["type"] == "resource_provider"
    alarms = database.read(lambda tx: facts.of(tx, found.examples[0]["id"]))
    assert [event.outcome for event in alarms if event.step == "audit claims-add-up"] == ["violated"]
    run(database, "update placement_inventories set free = free - 1 where resource_class = 'VCPU'")
    service.turn(database)
    again = {v.name: v for v in database.read(service.verdicts)}["claims-add-up"]
    assert (again.violations, again.since) == (0, None)
    assert [event.outcome for event in database.read(lambda tx: facts.of(tx, "claims-add-up"))] == ["done"]


def test_the_auditor_changes_nothing_but_its_own_notes(furnished: Client) -> None:
    database = furnished.database
    run(database, "update compute_servers set wanted_power = 'off'")
    before = database.read(_everything)
    service.turn(database)
    assert database.read(_everything) == before


def _everything(tx: Tx) -> dict[str, list[Any]]:
    ours = {"ops_audit_verdicts", "kernel_events"}
    return {
        name: sorted(repr(row._asdict()) for row in tx.all(sa.select(table)))
        for name, table in metadata.tables.items()
        if name not in ours
    }


def test_a_pass_without_time_looks_at_what_was_looked_at_longest_ago(furnished: Client) -> None:
    database = furnished.database
    seen = [[verdict.name for verdict in service.turn(database, budget_s=-1.0)] for _ in service.INVARIANTS]
    assert {len(names) for names in seen} == {1}
    assert {names[0] for names in seen} == {invariant.name for invariant in service.INVARIANTS}


def test_liveness_is_violated_only_after_its_grace() -> None:
    found = [Violation("hosts-keep-up", "host", "node", "has applied 1 of 2", "1")]
    young, known = ripen(found, {}, 1000.0, 120.0)
    assert young == []
    old, known = ripen(found, known, 1120.0, 120.0)
    assert old == found
    progressed = [Violation("hosts-keep-up", "host", "node", "has applied 2 of 3", "2")]
    assert ripen(progressed, known, 1121.0, 120.0)[0] == []


def test_a_lowered_quota_is_no_violation_until_something_is_made_above_it(furnished: Client) -> None:
    project = furnished.facts["demo"]
    body = {"quota_set": {"cores": 0, "force": True}}
    assert furnished.as_admin().put(f"/os-quota-sets/{project}", body).status == 200
    assert "quotas-are-kept" not in violated(furnished.database)
    later = clock.timestamp(clock.now() + 5)
    run(furnished.database, f"update compute_servers set created_at = '{later}'")
    assert "quotas-are-kept" in violated(furnished.database)
