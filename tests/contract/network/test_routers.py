from typing import Any

import pytest

from tests.contract.client import Reply
from tests.contract.network.conftest import Net, refused


def gateway(public: dict[str, Any]) -> dict[str, Any]:
    return {"external_gateway_info": {"network_id": public["id"]}}


def add(net: Net, router: dict[str, Any], **values: Any) -> Reply:
    return net.ask("PUT", f"/routers/{router['id']}/add_router_interface", values)


def take(net: Net, router: dict[str, Any], **values: Any) -> Reply:
    return net.ask("PUT", f"/routers/{router['id']}/remove_router_interface", values)


def test_a_router_is_made_changed_and_deleted(net: Net) -> None:
    router = net.make("routers", name="r", description="d")
    assert (router["status"], router["admin_state_up"], router["external_gateway_info"]) == ("ACTIVE", True, None)
    assert (router["routes"], router["ha"], router["distributed"]) == ([], False, False)
    assert net.put("routers", router["id"], name="s", admin_state_up=False)["name"] == "s"
    net.drop("routers", router["id"])
    refused(net.ask("GET", f"/routers/{router['id']}"), 404, "RouterNotFound")


def test_a_gateway_has_an_address_of_the_external_network(net: Net, admin: Net, public: dict[str, Any]) -> None:
    router = net.make("routers", **gateway(public))
    shown = router["external_gateway_info"]
    assert (shown["network_id"], shown["enable_snat"]) == (public["id"], True)
    assert [one["ip_address"] for one in shown["external_fixed_ips"]] == ["203.0.113.10"]
    assert admin.list("ports", "device_owner=network:router_gateway")[0]["device_id"] == router["id"]
    assert net.put("routers", router["id"], external_gateway_info={})["external_gateway_info"] is None
    assert admin.list("ports", "device_owner=network:router_gateway") == []


def test_a_gateway_needs_an_external_network(net: Net) -> None:
    network, _ = net.network_with_subnet()
    refused(net.ask("POST", "/routers", {"router": gateway(network)}), 400, "BadRequest")
    nowhere = {"id": "00000000-0000-4000-8000-000000000000"}
    refused(net.ask("POST", "/routers", {"router": gateway(nowhere)}), 404, "NetworkNotFound")


def test_source_translation_and_gateway_addresses_are_the_administrators(
    net: Net, admin: Net, public: dict[str, Any]
) -> None:
    router = net.make("routers", **gateway(public))
    off = {"external_gateway_info": {"network_id": public["id"], "enable_snat": False}}
    refused(net.ask("PUT", f"/routers/{router['id']}", {"router": off}), 403, "PolicyNotAuthorized")
    assert admin.put("routers", router["id"], **off)["external_gateway_info"]["enable_snat"] is False
    chosen = {"network_id": public["id"], "external_fixed_ips": [{"ip_address": "203.0.113.15"}]}
    changed = admin.put("routers", router["id"], external_gateway_info=chosen)["external_gateway_info"]
    assert [one["ip_address"] for one in changed["external_fixed_ips"]] == ["203.0.113.15"]


def test_an_interface_is_the_subnets_gateway(net: Net) -> None:
    network, subnet = net.network_with_subnet()
    router = net.make("routers")
    made = add(net, router, subnet_id=subnet["id"]).body
    assert (made["id"], made["subnet_id"], made["subnet_ids"]) == (router["id"], subnet["id"], [subnet["id"]])
    port = net.show("ports", made["port_id"])
    assert (port["device_owner"], port["device_id"]) == ("network:router_interface", router["id"])
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": "10.0.0.1"}]
    assert port["network_id"] == made["network_id"] == network["id"]
    refused(net.ask("DELETE", f"/routers/{router['id']}"), 409, "RouterInUse")
    assert take(net, router, subnet_id=subnet["id"]).status == 200
    refused(net.ask("GET", f"/ports/{made['port_id']}"), 404, "PortNotFound")
    refused(take(net, router, subnet_id=subnet["id"]), 404, "RouterInterfaceNotFoundForSubnet")


def test_a_users_port_becomes_an_interface_and_goes_with_it(net: Net) -> None:
    network, subnet = net.network_with_subnet()
    port = net.make("ports", network_id=network["id"])
    router = net.make("routers")
    assert add(net, router, port_id=port["id"]).body["port_id"] == port["id"]
    shown = net.show("ports", port["id"])
    assert (shown["device_owner"], shown["security_groups"]) == ("network:router_interface", [])
    refused(add(net, net.make("routers"), port_id=port["id"]), 409, "PortInUse")
    other = net.make("networks")["id"]
    elsewhere = net.make("subnets", network_id=other, cidr="10.5.0.0/24", ip_version=4)
    refused(take(net, router, port_id=port["id"], subnet_id=elsewhere["id"]), 400, "SubnetMismatchForPort")
    assert take(net, router, port_id=port["id"]).status == 200
    refused(net.ask("GET", f"/ports/{port['id']}"), 404, "PortNotFound")
    refused(take(net, router, port_id=port["id"]), 404, "RouterInterfaceNotFound")
    assert subnet["id"]


@pytest.mark.parametrize("values", [{}, {"subnet_id": "both", "port_id": "both"}])
def test_an_interface_is_named_one_way(net: Net, values: dict[str, str]) -> None:
    id = "00000000-0000-4000-8000-000000000000"
    refused(add(net, net.make("routers"), **dict.fromkeys(values, id)), 400, "BadRequest")


def test_interfaces_that_cannot_be_are_refused(net: Net, public: dict[str, Any]) -> None:
    router = net.make("routers", **gateway(public))
    _, subnet = net.network_with_subnet()
    net.interface(router, subnet)
    refused(add(net, router, subnet_id=subnet["id"]), 400, "BadRequest")
    _, overlapping = net.network_with_subnet("10.0.0.0/16")
    refused(add(net, router, subnet_id=overlapping["id"]), 400, "BadRequest")
    _, outside = net.network_with_subnet("203.0.113.0/25")
    refused(add(net, router, subnet_id=outside["id"]), 400, "BadRequest")
    _, aimless = net.network_with_subnet("10.7.0.0/24", gateway_ip=None)
    refused(add(net, router, subnet_id=aimless["id"]), 400, "BadRequest")
    second = net.make("routers")
    refused(add(net, second, subnet_id=subnet["id"]), 409, "IpAddressAlreadyAllocated")


def test_routes_lead_to_hosts_in_reach(net: Net) -> None:
    router = net.make("routers")
    _, subnet = net.network_with_subnet()
    net.interface(router, subnet)
    route = {"destination": "10.9.0.0/16", "nexthop": "10.0.0.9"}
    assert net.put("routers", router["id"], routes=[route])["routes"] == [route]
    for nexthop in ("10.3.0.1", "10.0.0.1"):
        body = {"router": {"routes": [{"destination": "10.9.0.0/16", "nexthop": nexthop}]}}
        refused(net.ask("PUT", f"/routers/{router['id']}", body), 400, "InvalidRoutes")
    refused(take(net, router, subnet_id=subnet["id"]), 409, "RouterInterfaceInUseByRoute")
    assert net.put("routers", router["id"], routes=[])["routes"] == []
    assert take(net, router, subnet_id=subnet["id"]).status == 200


def test_routes_are_added_and_taken_one_by_one(net: Net) -> None:
    router = net.make("routers")
    net.interface(router, net.network_with_subnet()[1])
    one, two = ({"destination": f"10.{n}.0.0/16", "nexthop": "10.0.0.9"} for n in (8, 9))
    path = f"/routers/{router['id']}"
    for routes in ([one], [one, two]):
        assert net.ask("PUT", f"{path}/add_extraroutes", {"router": {"routes": routes}}).status == 200
    assert net.show("routers", router["id"])["routes"] == [one, two]
    left = net.ask("PUT", f"{path}/remove_extraroutes", {"router": {"routes": [one, one | {"nexthop": "10.0.0.8"}]}})
    assert left.body["router"]["routes"] == [two]


def test_strangers_do_not_touch_a_router(net: Net, stranger: Net) -> None:
    router = net.make("routers")
    refused(stranger.ask("GET", f"/routers/{router['id']}"), 404, "RouterNotFound")
    _, subnet = stranger.network_with_subnet()
    refused(add(stranger, router, subnet_id=subnet["id"]), 404, "RouterNotFound")
    refused(add(net, router, subnet_id=subnet["id"]), 404, "SubnetNotFound")


def test_ports_of_a_router_are_found_by_device(net: Net) -> None:
    router = net.make("routers")
    made = net.interface(router, net.network_with_subnet()[1])
    assert [p["id"] for p in net.list("ports", f"device_id={router['id']}")] == [made["port_id"]]


def test_routers_are_placed_when_a_host_appears(net: Net, node: str) -> None:
    router = net.make("routers")
    assert router["availability_zones"] == ["nova"]
