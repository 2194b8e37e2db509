"""What compute and the agents get to hear."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from pilvi.kernel import hosts
from pilvi.kernel.context import Context, Principal
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, Forbidden
from pilvi.network import facade
from pilvi.network.drivers.fake import FakeDriver
from pilvi.network.drivers.protocol import HostState
from pilvi.network.facade import NicRequest
from tests.contract.network.conftest import Net

T = TypeVar("T")
ROLES = frozenset({"member", "reader"})


def ctx(net: Net) -> Context:
    return Context("req-test", Principal("u", project_id=net.project_id, roles=ROLES))


def write(net: Net, work: Callable[[Tx], T]) -> T:
    done: T = net.client.database.write(work)
    return done


def boot(net: Net, server: str, *requests: NicRequest, groups: tuple[str, ...] = ()) -> list[facade.Nic]:
    """What compute does when it makes a server."""

    def work(tx: Tx) -> list[facade.Nic]:
        facade.check_requests(ctx(net), tx, net.project_id, requests, groups)
        facade.allocate(
            ctx(net), tx, server_id=server, project_id=net.project_id, hostname=server, availability_zone="nova",
            requests=requests, security_groups=groups,
        )  # fmt: skip
        facade.bind(tx, server, "node")
        return facade.nics_of(tx, [server])[server]

    return write(net, work)


def agent_turn(net: Net, driver: FakeDriver) -> list[str]:
    """Pull, apply, report."""
    wanted, known = state(net), revision(net)
    report = {"revision": known, **driver.reconcile(wanted).to_json()}
    return write(net, lambda tx: facade.report(tx, "node", report))


def state(net: Net) -> HostState:
    return HostState.from_json(net.client.database.read(lambda tx: facade.host_state(tx, "node")))


def test_a_server_gets_a_port_that_is_active_once_the_host_says_so(net: Net, node: str) -> None:
    network, subnet = net.network_with_subnet()
    nic = boot(net, "s1", NicRequest(network["id"]))[0]
    assert (nic.network_name, nic.mtu, nic.status, nic.security_groups) == ("net", 1450, "DOWN", ("default",))
    assert (nic.fixed_ips[0].ip, nic.fixed_ips[0].cidr, nic.fixed_ips[0].dhcp) == ("10.0.0.2", subnet["cidr"], True)
    assert agent_turn(net, FakeDriver()) == ["s1"]
    port = net.show("ports", nic.port_id)
    assert (port["status"], port["device_owner"], port["dns_name"]) == ("ACTIVE", "compute:nova", "s1")


def test_a_report_from_before_the_binding_does_not_make_a_port_active(net: Net, node: str) -> None:
    network, _ = net.network_with_subnet()
    nic = boot(net, "s1", NicRequest(network["id"]))[0]
    old = {"revision": 1, "objects": [{"kind": "port", "id": nic.port_id, "error": None}]}
    assert write(net, lambda tx: facade.report(tx, "node", old)) == []
    assert net.show("ports", nic.port_id)["status"] == "DOWN"


def test_what_a_host_cannot_apply_is_in_error_until_it_can(net: Net, node: str) -> None:
    network, _ = net.network_with_subnet()
    nic = boot(net, "s1", NicRequest(network["id"]))[0]
    driver = FakeDriver()
    driver.faults["port", nic.port_id] = "no tap"
    agent_turn(net, driver)
    assert net.show("ports", nic.port_id)["status"] == "ERROR"
    driver.faults.clear()
    agent_turn(net, driver)
    assert net.show("ports", nic.port_id)["status"] == "ACTIVE"


def test_the_host_hears_only_what_concerns_it(net: Net, node: str, public: dict[str, Any]) -> None:
    idle, _ = net.network_with_subnet("10.5.0.0/24")
    net.make("ports", network_id=idle["id"])
    network, subnet = net.network_with_subnet()
    nic = boot(net, "s1", NicRequest(network["id"]))[0]
    router = net.make("routers", external_gateway_info={"network_id": public["id"]})
    net.interface(router, subnet)
    floating = net.make("floatingips", floating_network_id=public["id"], port_id=nic.port_id)
    told = state(net)
    assert {one.id for one in told.networks} == {network["id"], public["id"]}
    assert [one.server_id for one in told.ports] == ["s1"]
    assert told.ports[0].hostname == "s1"
    served = next(one for one in told.networks if one.id == network["id"])
    assert served.service_port is not None
    assert served.service_port.fixed_ips[0].subnet_id == subnet["id"]
    outside = next(one for one in told.networks if one.id == public["id"])
    assert (outside.external, outside.physical_network) == (True, None)
    assert [leg.ip for leg in told.routers[0].interfaces] == ["10.0.0.1"]
    assert [one.floating_ip for one in told.routers[0].floating_ips] == [floating["floating_ip_address"]]
    assert agent_turn(net, FakeDriver())
    assert net.show("floatingips", floating["id"])["status"] == "ACTIVE"
    assert net.as_("admin").list("ports", "device_owner=network:router_gateway")[0]["status"] == "ACTIVE"


def test_groups_are_told_with_the_addresses_of_their_members(net: Net, node: str) -> None:
    network, _ = net.network_with_subnet()
    web, db = net.make("security-groups", name="web"), net.make("security-groups", name="db")
    net.make(
        "security-group-rules", security_group_id=db["id"], direction="ingress", protocol="tcp", port_range_min=5432,
        port_range_max=5432, remote_group_id=web["id"],
    )  # fmt: skip
    boot(net, "s1", NicRequest(network["id"]), groups=("db",))
    boot(net, "s2", NicRequest(network["id"]), groups=("web",))
    groups = {one.id: one for one in state(net).security_groups}
    assert groups[web["id"]].members4 == ("10.0.0.4",)
    assert groups[db["id"]].members4 == ()
    assert any(rule.remote_group_id == web["id"] for rule in groups[db["id"]].rules)


@pytest.mark.parametrize("what", ["rule", "port", "subnet", "router", "floating ip", "group of a port", "network"])
def test_every_change_that_a_host_must_know_counts_its_revision_up(
    net: Net, node: str, public: dict[str, Any], what: str
) -> None:
    network, subnet = net.network_with_subnet()
    nic = boot(net, "s1", NicRequest(network["id"]))[0]
    router = net.make("routers", external_gateway_info={"network_id": public["id"]})
    net.interface(router, subnet)
    group = nic.security_group_ids[0]
    other = net.make("security-groups", name="g")
    rule = {"security_group_id": group, "direction": "ingress", "protocol": "tcp"}
    changes: dict[str, Callable[[], object]] = {
        "rule": lambda: net.make("security-group-rules", **rule),
        "port": lambda: net.put("ports", nic.port_id, admin_state_up=False),
        "subnet": lambda: net.put("subnets", subnet["id"], dns_nameservers=["9.9.9.9"]),
        "router": lambda: net.put("routers", router["id"], admin_state_up=False),
        "floating ip": lambda: net.make("floatingips", floating_network_id=public["id"], port_id=nic.port_id),
        "group of a port": lambda: net.put("ports", nic.port_id, security_groups=[other["id"]]),
        "network": lambda: net.put("networks", network["id"], dns_domain="x."),
    }
    before, told = revision(net), state(net)
    changes[what]()
    assert revision(net) > before
    assert state(net) != told


def revision(net: Net) -> int:
    host = net.client.database.read(lambda tx: hosts.find(tx, "node"))
    assert host is not None
    found: int = host.revision
    return found


def test_what_compute_made_goes_with_the_server_and_a_users_port_stays(net: Net, node: str) -> None:
    network, _ = net.network_with_subnet()
    mine = net.make("ports", network_id=network["id"])
    boot(net, "s1", NicRequest(network["id"]), NicRequest(port_id=mine["id"], tag="nic1"))
    write(net, lambda tx: facade.release(ctx(net), tx, "s1"))
    left = [port for port in net.list("ports") if port["device_owner"] != "network:dhcp"]
    assert [(p["id"], p["device_id"], p["device_owner"], p["status"]) for p in left] == [(mine["id"], "", "", "DOWN")]
    assert state(net).ports == ()
    write(net, lambda tx: facade.release(ctx(net), tx, "s1"))


def test_a_stranger_cannot_push_a_port_into_somebodys_server(net: Net, stranger: Net, node: str) -> None:
    network, _ = net.network_with_subnet()
    boot(net, "s1", NicRequest(network["id"]))
    theirs, _ = stranger.network_with_subnet("10.66.0.0/24")
    stranger.make("ports", network_id=theirs["id"], device_id="s1", device_owner="compute:nova")
    nics = write(net, lambda tx: facade.nics_of(tx, ["s1"]))
    assert [nic.network_id for nic in nics["s1"]] == [network["id"]]
    assert write(net, lambda tx: facade.servers_with_ip(tx, "10.66", 4)) == []
    write(net, lambda tx: facade.bind(tx, "s1", "node"))
    assert {one.id for one in state(net).networks} == {network["id"]}


def test_the_port_of_a_server_stays_the_servers(net: Net, node: str) -> None:
    network, _ = net.network_with_subnet()
    nic = boot(net, "s1", NicRequest(network["id"]))[0]
    reply = net.ask("PUT", f"/ports/{nic.port_id}", {"port": {"device_id": ""}})
    assert (reply.status, reply.body["NeutronError"]["type"]) == (409, "PortInUse")
    net.put("ports", nic.port_id, name="n", device_id="s1")


def test_the_only_network_is_the_default_and_several_are_not(net: Net) -> None:
    def default(tx: Tx) -> list[NicRequest]:
        return facade.default_requests(ctx(net), tx, net.project_id)

    assert write(net, default) == []
    first, _ = net.network_with_subnet()
    net.make("networks", name="without a subnet")
    assert write(net, default) == [NicRequest(first["id"])]
    net.network_with_subnet("10.7.0.0/24")
    with pytest.raises(Conflict, match="Multiple possible networks"):
        write(net, default)


def test_requests_that_cannot_be_are_refused_in_computes_words(
    net: Net, admin: Net, node: str, public: dict[str, Any]
) -> None:
    network, _ = net.network_with_subnet()
    bare = net.make("networks")
    used = boot(net, "s0", NicRequest(network["id"]))[0]
    nowhere = "00000000-0000-4000-8000-000000000000"
    for request, fault, words in (
        (NicRequest(nowhere), BadRequest, f"Network {nowhere} could not be found."),
        (NicRequest(bare["id"]), BadRequest, "requires a subnet in order to boot"),
        (NicRequest(public["id"]), Forbidden, "external network"),
        (NicRequest(port_id=nowhere), BadRequest, "could not be found"),
        (NicRequest(port_id=used.port_id), Conflict, "is still in use."),
        (NicRequest(network["id"], fixed_ip="10.9.9.9"), BadRequest, "not a valid ip address"),
        (NicRequest(network["id"], fixed_ip=used.fixed_ips[0].ip), BadRequest, "already in use"),
    ):
        with pytest.raises(fault, match=words):
            boot(net, "s1", request)
    with pytest.raises(BadRequest, match="Security group nope not found for project"):
        boot(net, "s1", NicRequest(network["id"]), groups=("nope",))
    admin.ask("PUT", f"/quotas/{net.project_id}", {"quota": {"port": 1}})
    with pytest.raises(Forbidden, match="Maximum number of ports exceeded"):
        boot(net, "s1", NicRequest(network["id"]))


def test_groups_are_attached_and_detached_by_name(net: Net, node: str) -> None:
    network, _ = net.network_with_subnet()
    boot(net, "s1", NicRequest(network["id"]))
    group = net.make("security-groups", name="web")
    write(net, lambda tx: facade.attach_security_group(ctx(net), tx, "s1", "web"))
    shown = write(net, lambda tx: facade.security_groups_of_server(ctx(net), tx, "s1"))
    assert [one["name"] for one in shown] == ["default", "web"]
    write(net, lambda tx: facade.detach_security_group(ctx(net), tx, "s1", group["id"]))
    nics = write(net, lambda tx: facade.nics_of(tx, ["s1"]))
    assert nics["s1"][0].security_groups == ("default",)


def test_servers_are_found_by_a_pattern_of_their_addresses(net: Net, node: str) -> None:
    network, _ = net.network_with_subnet()
    for name in ("s1", "s2"):
        boot(net, name, NicRequest(network["id"]))

    def found(pattern: str, version: int = 4) -> list[str]:
        return write(net, lambda tx: facade.servers_with_ip(tx, pattern, version))

    assert found("10.0.0") == ["s1", "s2"]
    assert found(r"^10\.0\.0\.2$") == ["s1"]
    assert found("10", 6) == []
    assert found("(") == []


def test_a_router_made_before_any_host_is_placed_when_one_appears(net: Net, public: dict[str, Any]) -> None:
    from pilvi.kernel import clock, ids
    from pilvi.kernel.errors import NotYet
    from pilvi.network.routers import reconcile

    router = net.make("routers", external_gateway_info={"network_id": public["id"]})
    database = net.client.database
    assert database.read(reconcile.sweep) == [router["id"]]
    with pytest.raises(NotYet):
        reconcile.reconcile(database, router["id"])
    host = hosts.Host("node", ids.uuid(), 1, 0, clock.now(), clock.timestamp(), {})
    database.write(lambda tx: hosts.add(tx, host))
    for _ in range(2):
        reconcile.reconcile(database, router["id"])
    assert [one.id for one in state(net).routers] == [router["id"]]
    assert database.read(reconcile.sweep) == []
