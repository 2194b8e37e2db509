from dataclasses import replace

import pytest

from pilvi.agent.responders.plan import Prefix, hostname, plan
from pilvi.network.drivers import names
from pilvi.network.drivers.protocol import (
    FixedIp,
    HostRoute,
    HostState,
    Port,
    Router,
    RouterInterface,
    ServicePort,
    Subnet,
)
from tests.contract.drivers.network_suite import EXTERNAL, NET, PORTS, STATE

TAG = "0123abcd"
V6 = Subnet("sub-6", "fd00:1::/64", 6, "fd00:1::1", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")


def with_v6(**changes: object) -> HostState:
    assert NET.service_port is not None
    service = ServicePort("svc", NET.service_port.mac, (*NET.service_port.fixed_ips, FixedIp("sub-6", "fd00:1::2")))
    net = replace(NET, subnets=(*NET.subnets, replace(V6, **changes)), service_port=service)  # type: ignore[arg-type]
    port = replace(PORTS[0], fixed_ips=(FixedIp("sub-1", "10.0.0.11"), FixedIp("sub-6", "fd00:1::11")))
    return HostState((net,), (port,))


def test_a_port_is_told_its_address_and_the_direct_way_to_metadata() -> None:
    lease = plan(STATE, TAG).networks[NET.id].leases[PORTS[0].mac]
    assert (lease.ip, lease.server_ip, lease.gateway_ip, lease.mtu) == ("10.0.0.11", "10.0.0.2", "10.0.0.1", 1450)
    assert lease.nameservers == ("10.0.0.2",)
    assert lease.routes == (HostRoute("169.254.169.254/32", "10.0.0.2"),)


def test_a_subnet_s_own_resolvers_are_told_instead_and_asked_for_foreign_names() -> None:
    subnet = replace(NET.subnets[0], dns_nameservers=("192.0.2.53", "0.0.0.0"))
    found = plan(HostState((replace(NET, subnets=(subnet,)),), PORTS), TAG, ("192.0.2.1",)).networks[NET.id]
    assert found.leases[PORTS[0].mac].nameservers == ("192.0.2.53",)
    assert found.resolvers == ("192.0.2.53", "192.0.2.1")


def test_without_dhcp_nobody_is_told_anything() -> None:
    subnet = replace(NET.subnets[0], enable_dhcp=False)
    assert plan(HostState((replace(NET, subnets=(subnet,)),), PORTS), TAG).networks[NET.id].leases == {}


def test_a_network_without_service_port_is_not_served() -> None:
    assert plan(HostState((EXTERNAL,)), TAG).networks == {}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("Web-1", "web-1"),
        ("web-1.example.org", "web-1"),
        ("", "host-10-0-0-5"),
        ("not a name!", "host-10-0-0-5"),
        ("-x", "host-10-0-0-5"),
        ("a" * 64, "host-10-0-0-5"),
    ],
)
def test_a_port_has_a_name_that_dns_can_carry(own: str, expected: str) -> None:
    assert hostname(Port("p", "n", "fa:16:3e:00:00:01", (FixedIp("s", "10.0.0.5"),), hostname=own)) == expected


def test_an_isolated_network_advertises_its_prefix_and_no_way_out() -> None:
    (one,) = plan(with_v6(), TAG).advertisements.values()
    assert (one.namespace, one.link, one.lifetime_s) == (names.service_namespace(TAG, NET.id), "svc", 0)
    assert one.prefixes == (Prefix("fd00:1::/64", is_autonomous=True),)
    assert one.nameservers == ("fd00:1::2",)


def test_a_router_advertises_itself_in_its_own_namespace() -> None:
    leg = RouterInterface("leg", NET.id, "fa:16:3e:00:00:01", "fd00:1::1", "fd00:1::/64", "sub-6")
    router = Router("33333333-0000-4000-8000-000000000003", interfaces=(leg,))
    (one,) = plan(replace(with_v6(), routers=(router,)), TAG).advertisements.values()
    assert one.namespace == names.router_namespace(TAG, router.id)
    assert (one.link, one.mac, one.lifetime_s) == (names.link_name("rp", "leg"), leg.mac, 1800)
    down = replace(router, admin_state_up=False)
    (one,) = plan(replace(with_v6(), routers=(down,)), TAG).advertisements.values()
    assert one.lifetime_s == 0


@pytest.mark.parametrize(
    ("mode", "autonomous", "managed", "other", "addresses"),
    [
        ("slaac", True, False, False, None),
        ("dhcpv6-stateless", True, False, True, ()),
        ("dhcpv6-stateful", False, True, False, ("fd00:1::11",)),
    ],
)
def test_the_three_ways_to_an_address_of_version_6(
    mode: str, autonomous: bool, managed: bool, other: bool, addresses: tuple[str, ...] | None
) -> None:
    found = plan(with_v6(ipv6_ra_mode=mode, ipv6_address_mode=mode), TAG)
    (one,) = found.advertisements.values()
    assert (one.prefixes[0].is_autonomous, one.is_managed, one.has_other) == (autonomous, managed, other)
    lease = found.networks[NET.id].leases6.get(PORTS[0].mac)
    assert (None if lease is None else lease.addresses) == addresses
