from typing import Any

import pytest

from tests.contract.network.conftest import Net, refused


def ask(net: Net, network: dict[str, Any], **values: Any) -> Any:
    return net.ask("POST", "/subnets", {"subnet": {"network_id": network["id"], "ip_version": 4, **values}})


def test_a_subnet_gets_a_gateway_and_a_pool(net: Net) -> None:
    network, subnet = net.network_with_subnet("10.0.0.77/24")
    assert (subnet["cidr"], subnet["gateway_ip"], subnet["enable_dhcp"]) == ("10.0.0.0/24", "10.0.0.1", True)
    assert subnet["allocation_pools"] == [{"start": "10.0.0.2", "end": "10.0.0.254"}]
    assert net.show("networks", network["id"])["subnets"] == [subnet["id"]]
    assert subnet == net.show("subnets", subnet["id"])


def test_an_ipv6_subnet_gets_a_gateway_and_a_pool(net: Net) -> None:
    _, subnet = net.network_with_subnet("fd00:1::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    assert subnet["gateway_ip"] == "fd00:1::1"
    assert subnet["allocation_pools"] == [{"start": "fd00:1::2", "end": "fd00:1::ffff:ffff:ffff:ffff"}]
    assert subnet["ipv6_address_mode"] == "slaac"


def test_without_a_gateway_every_address_is_given_out(net: Net) -> None:
    _, subnet = net.network_with_subnet("10.0.0.0/29", gateway_ip=None)
    assert subnet["gateway_ip"] is None
    assert subnet["allocation_pools"] == [{"start": "10.0.0.1", "end": "10.0.0.6"}]


def test_a_gateway_in_the_middle_splits_the_pool(net: Net) -> None:
    _, subnet = net.network_with_subnet("10.0.0.0/29", gateway_ip="10.0.0.3")
    assert subnet["allocation_pools"] == [
        {"start": "10.0.0.1", "end": "10.0.0.2"},
        {"start": "10.0.0.4", "end": "10.0.0.6"},
    ]


@pytest.mark.parametrize(
    ("values", "status", "type"),
    [
        ({"cidr": "10.1.0.0/33"}, 400, "InvalidInput"),
        ({"cidr": "10.1.0.0"}, 400, "InvalidInput"),
        ({"cidr": "fd00::/64"}, 400, "InvalidInput"),
        ({}, 400, "InvalidInput"),
        ({"cidr": "10.0.0.128/25"}, 400, "InvalidInput"),
        ({"cidr": "10.1.0.0/24", "gateway_ip": "10.1.0.255"}, 400, "InvalidInput"),
        ({"cidr": "10.1.0.0/24", "gateway_ip": "fd00::1"}, 400, "InvalidInput"),
        ({"cidr": "10.1.0.0/24", "ipv6_ra_mode": "slaac"}, 400, "InvalidInput"),
        ({"cidr": "10.1.0.0/24", "dns_nameservers": ["none"]}, 400, "InvalidInput"),
        ({"cidr": "10.1.0.0/24", "dns_nameservers": [f"8.8.8.{i}" for i in range(6)]}, 400, "DNSNameServersExhausted"),
        ({"cidr": "10.1.0.0/24", "host_routes": [{"destination": "x", "nexthop": "10.1.0.2"}]}, 400, "InvalidInput"),
        (
            {"cidr": "10.1.0.0/24", "allocation_pools": [{"start": "10.1.0.9", "end": "10.1.0.2"}]},
            400,
            "InvalidAllocationPool",
        ),
        (
            {"cidr": "10.1.0.0/24", "allocation_pools": [{"start": "10.2.0.2", "end": "10.2.0.9"}]},
            400,
            "OutOfBoundsAllocationPool",
        ),
        (
            {
                "cidr": "10.1.0.0/24",
                "allocation_pools": [
                    {"start": "10.1.0.2", "end": "10.1.0.9"},
                    {"start": "10.1.0.5", "end": "10.1.0.7"},
                ],
            },
            409,
            "OverlappingAllocationPools",
        ),
        (
            {"cidr": "10.1.0.0/24", "allocation_pools": [{"start": "10.1.0.1", "end": "10.1.0.9"}]},
            409,
            "GatewayConflictWithAllocationPools",
        ),
    ],
)
def test_subnets_that_cannot_be_are_refused(net: Net, values: dict[str, Any], status: int, type: str) -> None:
    network, _ = net.network_with_subnet()
    refused(ask(net, network, **values), status, type)


def test_ipv6_modes_must_agree_and_need_64_bits(net: Net) -> None:
    network = net.make("networks")
    six = {"ip_version": 6, "cidr": "fd00::/64"}
    differing = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"}
    refused(ask(net, network, **six, **differing), 400, "InvalidInput")
    refused(ask(net, network, ip_version=6, cidr="fd00::/48", ipv6_address_mode="slaac"), 400, "InvalidInput")
    refused(ask(net, network, **six, ipv6_address_mode="slaac", enable_dhcp=False), 400, "InvalidInput")


def test_a_subnet_is_changed(net: Net) -> None:
    _, subnet = net.network_with_subnet()
    changed = net.put(
        "subnets", subnet["id"], name="n", gateway_ip="10.0.0.254", enable_dhcp=False,
        allocation_pools=[{"start": "10.0.0.5", "end": "10.0.0.9"}], dns_nameservers=["9.9.9.9"],
        host_routes=[{"destination": "10.9.0.0/16", "nexthop": "10.0.0.5"}],
    )  # fmt: skip
    assert (changed["gateway_ip"], changed["enable_dhcp"], changed["name"]) == ("10.0.0.254", False, "n")
    assert changed["dns_nameservers"] == ["9.9.9.9"]
    emptied = net.put("subnets", subnet["id"], dns_nameservers=None, service_types=None)
    assert (emptied["dns_nameservers"], emptied["service_types"]) == ([], [])
    assert changed["host_routes"] == [{"destination": "10.9.0.0/16", "nexthop": "10.0.0.5"}]


def test_a_gateway_cannot_be_moved_into_the_pool_or_away_from_a_router(net: Net) -> None:
    _, subnet = net.network_with_subnet()
    moved = net.ask("PUT", f"/subnets/{subnet['id']}", {"subnet": {"gateway_ip": "10.0.0.9"}})
    refused(moved, 409, "GatewayConflictWithAllocationPools")
    net.interface(net.make("routers"), subnet)
    away = net.ask("PUT", f"/subnets/{subnet['id']}", {"subnet": {"gateway_ip": None}})
    refused(away, 409, "GatewayIpInUse")


def test_a_subnet_with_a_users_address_stays(net: Net) -> None:
    network, subnet = net.network_with_subnet()
    port = net.make("ports", network_id=network["id"])
    refused(net.ask("DELETE", f"/subnets/{subnet['id']}"), 409, "SubnetInUse")
    net.drop("ports", port["id"])
    net.drop("subnets", subnet["id"])
    refused(net.ask("GET", f"/subnets/{subnet['id']}"), 404, "SubnetNotFound")


def test_addresses_that_guests_make_come_and_go_with_the_subnet(net: Net) -> None:
    network, _ = net.network_with_subnet()
    port = net.make("ports", network_id=network["id"], mac_address="fa:16:3e:00:00:01")
    slaac = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    six = net.make("subnets", network_id=network["id"], cidr="fd00::/64", ip_version=6, **slaac)
    assert net.show("ports", port["id"])["fixed_ips"][1] == {
        "subnet_id": six["id"], "ip_address": "fd00::f816:3eff:fe00:1",
    }  # fmt: skip
    net.drop("subnets", six["id"])
    assert len(net.show("ports", port["id"])["fixed_ips"]) == 1


def test_nobody_makes_subnets_in_others_networks(net: Net, admin: Net, stranger: Net) -> None:
    network = net.make("networks")
    refused(ask(stranger, network, cidr="10.0.0.0/24"), 404, "NetworkNotFound")
    admin.put("networks", network["id"], shared=True)
    refused(ask(stranger, network, cidr="10.0.0.0/24"), 403, "PolicyNotAuthorized")
    subnet = ask(net, network, cidr="10.0.0.0/24").body["subnet"]
    assert stranger.show("subnets", subnet["id"])["id"] == subnet["id"]
    refused(stranger.ask("DELETE", f"/subnets/{subnet['id']}"), 403, "PolicyNotAuthorized")


def test_subnets_are_filtered(net: Net) -> None:
    network, subnet = net.network_with_subnet()
    net.network_with_subnet("fd00::/64")
    assert [s["id"] for s in net.list("subnets", f"network_id={network['id']}")] == [subnet["id"]]
    assert [s["id"] for s in net.list("subnets", "ip_version=4&cidr=10.0.0.0/24&gateway_ip=10.0.0.1")] == [subnet["id"]]


def test_a_pool_gives_prefixes_that_do_not_overlap(net: Net) -> None:
    pool = net.make("subnetpools", name="p", prefixes=["10.8.0.0/16", "10.9.0.0/16"], default_prefixlen=26)
    assert pool["prefixes"] == ["10.8.0.0/15"]
    network = net.make("networks")
    first = ask(net, network, subnetpool_id=pool["id"]).body["subnet"]
    second = ask(net, network, subnetpool_id=pool["id"], prefixlen=24).body["subnet"]
    third = ask(net, network, subnetpool_id=pool["id"]).body["subnet"]
    assert [one["cidr"] for one in (first, second, third)] == ["10.8.0.0/26", "10.8.1.0/24", "10.8.0.64/26"]
    assert first["subnetpool_id"] == pool["id"]
    refused(ask(net, net.make("networks"), subnetpool_id=pool["id"], cidr="10.8.1.0/25"), 409, "SubnetAllocationError")
    assert ask(net, network, subnetpool_id=pool["id"], prefixlen=7).status == 400
    refused(net.ask("DELETE", f"/subnetpools/{pool['id']}"), 409, "SubnetPoolDeleteError")


def test_a_pool_grows_and_never_shrinks(net: Net) -> None:
    pool = net.make("subnetpools", name="p", prefixes=["10.8.0.0/24"])
    assert net.put("subnetpools", pool["id"], prefixes=["10.8.0.0/23"])["prefixes"] == ["10.8.0.0/23"]
    reply = net.ask("PUT", f"/subnetpools/{pool['id']}", {"subnetpool": {"prefixes": ["10.8.0.0/25"]}})
    refused(reply, 400, "IllegalSubnetPoolPrefixUpdate")


def test_pools_of_one_address_scope_do_not_overlap(net: Net) -> None:
    scope = net.make("address-scopes", name="s", ip_version=4)
    net.make("subnetpools", name="a", prefixes=["10.8.0.0/16"], address_scope_id=scope["id"])
    body = {"subnetpool": {"name": "b", "prefixes": ["10.8.1.0/24"], "address_scope_id": scope["id"]}}
    refused(net.ask("POST", "/subnetpools", body), 409, "AddressScopePrefixConflict")
    refused(net.ask("DELETE", f"/address-scopes/{scope['id']}"), 409, "AddressScopeInUse")
    network = net.make("networks")
    pool = net.list("subnetpools")[0]
    assert ask(net, network, subnetpool_id=pool["id"], prefixlen=24).status == 201
    shown = net.show("networks", network["id"])
    assert (shown["ipv4_address_scope"], shown["ipv6_address_scope"]) == (scope["id"], None)
    assert net.list("subnetpools", f"address_scope_id={scope['id']}")[0]["name"] == "a"


def test_the_default_pool_is_used_without_a_name(net: Net, admin: Net) -> None:
    network = net.make("networks")
    refused(ask(net, network, use_default_subnetpool=True), 400, "InvalidInput")
    pool = admin.make("subnetpools", name="d", prefixes=["10.8.0.0/16"], is_default=True, shared=True,
                      default_prefixlen=26)  # fmt: skip
    assert ask(net, network, use_default_subnetpool=True).body["subnet"]["subnetpool_id"] == pool["id"]
