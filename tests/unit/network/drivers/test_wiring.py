from dataclasses import replace

from pilvi.network.drivers import names
from pilvi.network.drivers.linux.links import Route
from pilvi.network.drivers.linux.wiring import plan, unreachable_nexthops
from pilvi.network.drivers.protocol import HostRoute, HostState
from tests.contract.drivers.network_suite import EXTERNAL, NET, PORTS, ROUTER, STATE

TAG = "0123abcd"


def test_every_leg_has_two_ends_and_a_bridge() -> None:
    wiring = plan(STATE, TAG)
    links = wiring.data_plane.links
    for link in links.values():
        assert len(link.name) <= 15
        assert link.kind == "bridge" or links[link.master].kind == "bridge"
        if link.peer is not None:
            namespace, end, mac = link.peer
            assert wiring.others[namespace].links[end].mac == mac
    ends = {(space.name, end) for space in wiring.others.values() for end in space.links}
    assert ends == {link.peer[:2] for link in links.values() if link.peer is not None}


def test_a_router_knows_its_ways() -> None:
    space = plan(STATE, TAG).others[names.router_namespace(TAG, ROUTER.id)]
    way_out, inside = names.link_name("gp", "gw-1"), names.link_name("rp", "if-1")
    assert {one.route for one in space.routes} == {
        Route("0.0.0.0/0", "203.0.113.1", way_out),
        Route("192.168.0.0/16", "10.0.0.11", inside),
    }
    assert set(space.addresses) == {
        (inside, "10.0.0.1/24"),
        (way_out, "203.0.113.10/24"),
        (way_out, "203.0.113.50/32"),
    }


def test_a_service_reaches_guests_of_subnets_where_it_has_no_address() -> None:
    assert NET.service_port is not None
    bare = replace(NET, service_port=replace(NET.service_port, fixed_ips=()))
    space = plan(HostState((bare,)), TAG).others[names.service_namespace(TAG, NET.id)]
    assert set(space.addresses) == {("svc", "169.254.169.254/32")}
    assert [one.route for one in space.routes] == [Route("10.0.0.0/24", "", "svc")]


def test_a_next_hop_that_no_interface_reaches_is_told() -> None:
    lost = replace(ROUTER, routes=(HostRoute("192.168.0.0/16", "172.16.0.1"),))
    wiring = plan(replace(STATE, routers=(lost,)), TAG)
    assert unreachable_nexthops(lost, wiring.others[names.router_namespace(TAG, lost.id)]) == ["172.16.0.1"]


def test_the_world_has_the_gateway_s_address_unless_an_operator_brings_a_nic() -> None:
    wiring = plan(HostState((EXTERNAL,)), TAG)
    assert {interface for _, interface in wiring.others[names.outside_world(TAG)].addresses} == {"203.0.113.1/24"}
    assert plan(HostState((replace(EXTERNAL, physical_network="wan"),)), TAG).others == {}


def test_a_port_that_is_down_and_a_router_that_is_down_have_links_that_are_down() -> None:
    state = replace(
        STATE, ports=(replace(PORTS[0], admin_state_up=False, tap_name=names.tap_name("port-11")),),
        routers=(replace(ROUTER, admin_state_up=False),),
    )  # fmt: skip
    links = plan(state, TAG).data_plane.links
    assert {link.owner for link in links.values() if not link.is_up} == {("port", "port-11"), ("router", ROUTER.id)}
