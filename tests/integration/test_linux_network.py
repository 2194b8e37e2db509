"""The `linux` driver on the real kernel: who reaches whom."""

import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pilvi.network.drivers.linux.announce import announce
from pilvi.network.drivers.protocol import (
    AddressPair,
    FixedIp,
    FloatingIp,
    HostRoute,
    HostState,
    Router,
    RouterGateway,
    RouterInterface,
    SecurityGroupRule,
)
from tests.integration import linux_network_rig as made
from tests.integration.linux_network_rig import Rig, connects, conversation, listener, send_udp

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with made.rig(tmp_path) as rig:
        yield rig


def test_guests_of_a_network_ping_each_other_and_a_second_turn_changes_nothing(rig: Rig) -> None:
    net, group = made.network(cidr6="fd00:1::/64"), made.group(*made.PING)
    a = made.port(net, "10.0.0.11", "fd00:1::11", groups=(group,))
    b = made.port(net, "10.0.0.12", "fd00:1::12", groups=(group,))
    state = HostState((net,), (a, b), (group,))
    rig.apply(state)
    guest = rig.guest(a)
    rig.guest(b)
    assert rig.apply(state).changes > 0

    assert guest.pings("10.0.0.12")
    assert guest.pings("fd00:1::12")
    assert rig.apply(state).changes == 0
    rig.restart()
    assert rig.apply(state).changes == 0
    assert set(rig.driver.stats()) == {a.id, b.id}


SSH = SecurityGroupRule("ssh", "ingress", "IPv4", "tcp", 22, 22)


class Topology:
    """One private network behind a router, an external network, and the world outside."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.group = made.group(*made.PING, SSH)
        self.net = made.network(zone=1)
        self.other = made.network("10.1.0.0/24", zone=2)
        self.external = made.network("203.0.113.0/24", zone=3, external=True)
        self.a = made.port(self.net, "10.0.0.11", groups=(self.group,))
        self.b = made.port(self.net, "10.0.0.12", groups=(self.group,))
        self.c = made.port(self.other, "10.1.0.11", groups=(self.group,))
        gateway = RouterGateway(
            made.new_id(), self.external.id, made.new_mac(), (FixedIp(self.external.subnets[0].id, "203.0.113.10"),)
        )
        self.router = Router(
            made.new_id(),
            gateway=gateway,
            interfaces=tuple(
                RouterInterface(made.new_id(), net.id, made.new_mac(), net.subnets[0].gateway_ip or "",
                                net.subnets[0].cidr, net.subnets[0].id)
                for net in (self.net, self.other)
            ),
        )  # fmt: skip
        self.state = HostState(
            (self.net, self.other, self.external), (self.a, self.b, self.c), (self.group,), (self.router,)
        )
        self.outside = made.Outside(rig)

    def plug(self) -> list[made.Guest]:
        self.rig.apply(self.state)
        guests = [
            self.rig.guest(self.a, gateway="10.0.0.1"),
            self.rig.guest(self.b, gateway="10.0.0.1"),
            self.rig.guest(self.c, gateway="10.1.0.1"),
        ]
        self.rig.apply(self.state)
        return guests

    def with_router(self, **changes: object) -> HostState:
        self.router = replace(self.router, **changes)  # type: ignore[arg-type]
        self.state = replace(self.state, routers=(self.router,))
        return self.state

    def with_rules(self, *rules: SecurityGroupRule) -> HostState:
        self.group = made.group(*rules, id=self.group.id)
        self.state = replace(self.state, security_groups=(self.group,))
        return self.state


def test_a_router_joins_networks_and_hides_them_from_the_world(rig: Rig) -> None:
    there = Topology(rig)
    a, _, c = there.plug()

    assert a.pings("10.1.0.11")
    assert c.pings("10.0.0.11")
    assert a.pings("203.0.113.1")
    with listener(there.outside, 8000) as seen:
        assert connects(a, "203.0.113.1", 8000)
    assert seen == ["203.0.113.10"]
    assert rig.apply(there.state).changes == 0


def test_a_floating_ip_reaches_its_guest_from_outside_and_from_the_guests_beside_it(rig: Rig) -> None:
    there = Topology(rig)
    a, b, c = there.plug()
    assert not there.outside.pings("203.0.113.50")

    rig.apply(there.with_router(floating_ips=(FloatingIp(made.new_id(), "203.0.113.50", "10.0.0.11"),)))

    assert there.outside.pings("203.0.113.50")
    with listener(a, 22) as seen:
        assert connects(there.outside, "203.0.113.50", 22)
        assert connects(b, "203.0.113.50", 22)  # Same wire: the answer must come back through the router.
        assert connects(c, "203.0.113.50", 22)
    assert seen == ["203.0.113.1", "203.0.113.10", "203.0.113.10"]
    with listener(there.outside, 8000) as seen:
        assert connects(a, "203.0.113.1", 8000)
        assert connects(b, "203.0.113.1", 8000)
    assert seen == ["203.0.113.50", "203.0.113.10"]

    rig.apply(there.with_router(floating_ips=(FloatingIp(made.new_id(), "203.0.113.50", "10.0.0.12"),)))
    with listener(b, 22) as seen:
        assert connects(there.outside, "203.0.113.50", 22)

    rig.apply(there.with_router(floating_ips=()))
    assert not there.outside.pings("203.0.113.50")


def test_a_floating_ip_that_is_taken_away_cuts_what_went_through_it(rig: Rig) -> None:
    there = Topology(rig)
    a, _, _ = there.plug()
    rig.apply(there.with_router(floating_ips=(FloatingIp(made.new_id(), "203.0.113.50", "10.0.0.11"),)))
    with listener(a, 22), conversation(there.outside, "203.0.113.50", 22) as talk:
        assert talk()
        rig.apply(there.with_router(floating_ips=()))
        assert not talk()


def test_tcp_is_refused_then_allowed_then_cut_when_the_rule_goes(rig: Rig) -> None:
    there = Topology(rig)
    a, b, _ = there.plug()
    rig.apply(there.with_rules(*made.PING))
    with listener(b, 22):
        assert not connects(a, "10.0.0.12", 22)
        rig.apply(there.with_rules(*made.PING, SSH))
        with conversation(a, "10.0.0.12", 22) as talk:
            assert talk()
            rig.apply(there.with_rules(*made.PING, SSH, SecurityGroupRule("x", "ingress", "IPv4", "udp", 53, 53)))
            assert talk()  # What is allowed more does not disturb what was.
            rig.apply(there.with_rules(*made.PING))
            assert not talk()
        assert a.pings("10.0.0.12")


def test_a_revocation_survives_the_death_of_the_agent(rig: Rig) -> None:
    there = Topology(rig)
    a, b, _ = there.plug()
    with listener(b, 22), conversation(a, "10.0.0.12", 22) as talk:
        assert talk()
        rig.restart()
        rig.apply(there.state)
        assert talk()
        rig.restart()
        rig.apply(there.with_rules(*made.PING))
        assert not talk()


def test_a_rule_may_name_a_group_whose_members_come_and_go(rig: Rig) -> None:
    there = Topology(rig)
    a, b, c = there.plug()
    friends = made.new_id()
    rule = SecurityGroupRule("friends", "ingress", "IPv4", "tcp", 22, 22, remote_group_id=friends)

    def state(*members: str) -> HostState:
        there.with_rules(*made.PING, rule)
        return replace(there.state, security_groups=(there.group, made.group(id=friends, members4=members)))

    rig.apply(state("10.0.0.11"))
    with listener(b, 22):
        assert connects(a, "10.0.0.12", 22)
        assert not connects(c, "10.0.0.12", 22)
        rig.apply(state("10.0.0.11", "10.1.0.11"))
        assert connects(c, "10.0.0.12", 22)
        with conversation(a, "10.0.0.12", 22) as talk:
            assert talk()
            rig.apply(state("10.1.0.11"))
            assert not talk()


def test_a_guest_cannot_pretend_to_be_another(rig: Rig) -> None:
    there = Topology(rig)
    a, b, _ = there.plug()
    assert a.pings("10.0.0.12")

    a.run("ip", "addr", "add", "10.0.0.77/24", "dev", "eth0")
    assert not a.pings("10.0.0.12", "-I", "10.0.0.77")
    assert a.pings("10.0.0.12", "-I", "10.0.0.11")
    # Its answers for an address that is not its own never arrive.
    assert not b.pings("10.0.0.77")

    a.run("ip", "link", "set", "eth0", "address", "fa:16:3e:00:00:99")
    assert not a.pings("10.0.0.12", "-I", "10.0.0.11")


def test_pairs_let_a_guest_speak_for_more_addresses(rig: Rig) -> None:
    there = Topology(rig)
    a, b, _ = there.plug()
    a.run("ip", "addr", "add", "10.0.0.77/24", "dev", "eth0")
    paired = replace(there.a, allowed_address_pairs=(AddressPair("10.0.0.64/27"),))
    state = replace(there.state, ports=(paired, there.b, there.c))
    rig.apply(state)
    assert b.pings("10.0.0.77")
    with listener(a, 22), conversation(b, "10.0.0.77", 22) as talk:
        assert talk()
        rig.apply(there.state)
        assert not talk()


def test_a_port_without_port_security_may_do_as_it_likes(rig: Rig) -> None:
    there = Topology(rig)
    a, b, _ = there.plug()
    free = replace(there.a, port_security_enabled=False, security_groups=())
    rig.apply(replace(there.state, ports=(free, there.b, there.c)))
    a.run("ip", "addr", "add", "10.0.0.77/24", "dev", "eth0")
    assert a.pings("10.0.0.12", "-I", "10.0.0.77")
    with listener(a, 4000):
        assert connects(b, "10.0.0.11", 4000)


def test_guests_cannot_answer_dhcp_or_advertise_routes(rig: Rig) -> None:
    net = made.network(cidr6="fd00:1::/64")
    anything = tuple(SecurityGroupRule(family, "ingress", family) for family in ("IPv4", "IPv6"))
    group = made.group(*anything)
    a = made.port(net, "10.0.0.11", "fd00:1::11", groups=(group,))
    b = made.port(net, "10.0.0.12", "fd00:1::12", groups=(group,))
    state = HostState((net,), (a, b), (group,))
    rig.apply(state)
    bad, good = rig.guest(a), rig.guest(b)
    rig.apply(state)
    with listener(good, 68, kind=socket.SOCK_DGRAM) as seen:
        send_udp(bad, "10.0.0.12", 68, from_port=5000)
        send_udp(bad, "10.0.0.12", 68, from_port=67)
    assert seen == ["10.0.0.11"]

    def advertise() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
            raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            lifetime_s = 1800
            raw.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, lifetime_s, 0, 0), ("ff02::1%eth0", 0))

    for _ in range(3):
        bad.inside(advertise)
    time.sleep(0.3)
    assert "default" not in good.run("ip", "-6", "route").stdout


def test_neighbour_advertisements_for_foreign_addresses_are_dropped(rig: Rig) -> None:
    net, group = made.network(cidr6="fd00:1::/64"), made.group(*made.PING)
    a = made.port(net, "10.0.0.11", "fd00:1::11", groups=(group,))
    b = made.port(net, "10.0.0.12", "fd00:1::12", groups=(group,))
    state = HostState((net,), (a, b), (group,))
    rig.apply(state)
    bad, good = rig.guest(a), rig.guest(b)
    rig.apply(state)
    assert good.pings("fd00:1::11")
    before = good.run("ip", "-6", "neigh", "show", "fd00:1::2").stdout
    assert good.pings("fd00:1::2")
    before = good.run("ip", "-6", "neigh", "show", "fd00:1::2").stdout
    bad.inside(lambda: announce("eth0", a.mac, "fd00:1::2"))
    time.sleep(0.3)
    assert a.mac not in good.run("ip", "-6", "neigh", "show", "fd00:1::2").stdout
    assert before


def test_projects_with_the_same_addresses_do_not_see_each_other(rig: Rig) -> None:
    group = made.group(*made.PING, SSH)
    red, blue = made.network(zone=1), made.network(zone=2)
    ports = {net.id: [made.port(net, f"10.0.0.{n}", groups=(group,)) for n in (11, 12)] for net in (red, blue)}
    only_red = made.port(red, "10.0.0.13", groups=(group,))
    state = HostState((red, blue), (*ports[red.id], *ports[blue.id], only_red), (group,))
    rig.apply(state)
    red_1, red_2, blue_1, blue_2, _ = [rig.guest(one) for one in state.ports]
    rig.apply(state)
    with listener(red_2, 22) as seen_by_red, listener(blue_2, 22) as seen_by_blue:
        assert connects(red_1, "10.0.0.12", 22)
        assert (seen_by_red, seen_by_blue) == (["10.0.0.11"], [])
        assert connects(blue_1, "10.0.0.12", 22)
    assert (seen_by_red, seen_by_blue) == (["10.0.0.11"], ["10.0.0.11"])
    assert red_1.pings("10.0.0.13")
    assert not blue_1.pings("10.0.0.13")


def test_extra_routes_and_ipv6_go_through_the_router(rig: Rig) -> None:
    group = made.group(*made.PING)
    nets = [made.network("10.0.0.0/24", zone=1, cidr6="fd00:1::/64"),
            made.network("10.1.0.0/24", zone=2, cidr6="fd00:2::/64")]  # fmt: skip
    a = made.port(nets[0], "10.0.0.11", "fd00:1::11", groups=(group,))
    b = replace(
        made.port(nets[1], "10.1.0.11", "fd00:2::11", groups=(group,)),
        allowed_address_pairs=(AddressPair("192.168.7.0/24"),),
    )
    interfaces = []
    for net in nets:
        port_id, mac = made.new_id(), made.new_mac()
        for subnet in net.subnets:
            assert subnet.gateway_ip
            interfaces.append(RouterInterface(port_id, net.id, mac, subnet.gateway_ip, subnet.cidr, subnet.id))
    router = Router(made.new_id(), interfaces=tuple(interfaces), routes=(HostRoute("192.168.7.0/24", "10.1.0.11"),))
    state = HostState(tuple(nets), (a, b), (group,), (router,))
    rig.apply(state)
    near, far = rig.guest(a, gateway="10.0.0.1"), rig.guest(b, gateway="10.1.0.1")
    rig.apply(state)
    near.run("ip", "-6", "route", "add", "default", "via", "fd00:1::1")
    far.run("ip", "-6", "route", "add", "default", "via", "fd00:2::1")
    far.run("ip", "addr", "add", "192.168.7.1/24", "dev", "lo")

    assert near.pings("fd00:2::11")
    assert near.pings("192.168.7.1")
    assert rig.apply(state).changes == 0
    lost = replace(router, routes=(HostRoute("192.168.8.0/24", "172.16.0.1"),))
    status = rig.driver.reconcile(replace(state, routers=(lost,)))
    assert "172.16.0.1" in (status.error_of("router", router.id) or "")
    assert not near.pings("192.168.7.1")
    assert near.pings("10.1.0.11")
