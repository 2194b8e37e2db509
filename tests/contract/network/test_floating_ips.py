from typing import Any

import pytest

from tests.contract.network.conftest import Net, refused


@pytest.fixture
def guest(net: Net, public: dict[str, Any]) -> dict[str, Any]:
    """A port behind a router to the external network."""
    network, subnet = net.network_with_subnet()
    router = net.make("routers", external_gateway_info={"network_id": public["id"]})
    net.interface(router, subnet)
    return net.make("ports", network_id=network["id"]) | {"router": router["id"], "subnet": subnet["id"]}


def test_a_floating_ip_is_taken_and_given_back(net: Net, admin: Net, public: dict[str, Any]) -> None:
    one = net.make("floatingips", floating_network_id=public["id"], description="d")
    assert one["floating_ip_address"] == "203.0.113.10"
    assert (one["status"], one["port_id"], one["fixed_ip_address"], one["router_id"]) == ("DOWN", None, None, None)
    assert admin.list("ports", "device_owner=network:floatingip")[0]["device_id"] == one["id"]
    net.drop("floatingips", one["id"])
    assert admin.list("ports", "device_owner=network:floatingip") == []
    refused(net.ask("GET", f"/floatingips/{one['id']}"), 404, "FloatingIPNotFound")


def test_a_floating_ip_is_associated_moved_and_let_go(net: Net, public: dict[str, Any], guest: dict[str, Any]) -> None:
    one = net.make("floatingips", floating_network_id=public["id"], port_id=guest["id"])
    assert (one["port_id"], one["fixed_ip_address"]) == (guest["id"], "10.0.0.2")
    assert one["router_id"] == guest["router"]
    assert one["port_details"]["mac_address"] == guest["mac_address"]
    other = net.make("ports", network_id=guest["network_id"])
    moved = net.put("floatingips", one["id"], port_id=other["id"])
    assert moved["fixed_ip_address"] == other["fixed_ips"][0]["ip_address"]
    free = net.put("floatingips", one["id"], port_id=None)
    assert (free["port_id"], free["router_id"], free["status"], free["port_details"]) == (None, None, "DOWN", None)
    assert net.put("floatingips", one["id"], port_id=guest["id"])["port_id"] == guest["id"]


def test_changing_the_description_keeps_the_association(
    net: Net, public: dict[str, Any], guest: dict[str, Any]
) -> None:
    one = net.make("floatingips", floating_network_id=public["id"], port_id=guest["id"])
    changed = net.put("floatingips", one["id"], description="new")
    assert (changed["description"], changed["port_id"]) == ("new", guest["id"])


def test_a_fixed_ip_has_one_floating_ip(net: Net, public: dict[str, Any], guest: dict[str, Any]) -> None:
    net.make("floatingips", floating_network_id=public["id"], port_id=guest["id"])
    body = {"floatingip": {"floating_network_id": public["id"], "port_id": guest["id"]}}
    refused(net.ask("POST", "/floatingips", body), 409, "FloatingIPPortAlreadyAssociated")
    second = net.make("floatingips", floating_network_id=public["id"])
    reply = net.ask("PUT", f"/floatingips/{second['id']}", {"floatingip": {"port_id": guest["id"]}})
    refused(reply, 409, "FloatingIPPortAlreadyAssociated")


def test_a_router_must_lead_from_the_port_to_the_external_network(net: Net, public: dict[str, Any]) -> None:
    network, _ = net.network_with_subnet()
    port = net.make("ports", network_id=network["id"])
    body = {"floatingip": {"floating_network_id": public["id"], "port_id": port["id"]}}
    refused(net.ask("POST", "/floatingips", body), 404, "ExternalGatewayForFloatingIPNotFound")


def test_a_floating_network_is_external(net: Net) -> None:
    network, _ = net.network_with_subnet()
    reply = net.ask("POST", "/floatingips", {"floatingip": {"floating_network_id": network["id"]}})
    refused(reply, 400, "BadRequest")


def test_ports_with_several_addresses_need_the_one_meant(
    net: Net, public: dict[str, Any], guest: dict[str, Any]
) -> None:
    two = [{"subnet_id": guest["subnet"]}, {"subnet_id": guest["subnet"]}]
    port = net.make("ports", network_id=guest["network_id"], fixed_ips=two)
    values = {"floating_network_id": public["id"], "port_id": port["id"]}
    refused(net.ask("POST", "/floatingips", {"floatingip": values}), 400, "BadRequest")
    chosen = port["fixed_ips"][1]["ip_address"]
    assert net.make("floatingips", **values, fixed_ip_address=chosen)["fixed_ip_address"] == chosen
    wrong = {"floatingip": {**values, "fixed_ip_address": "10.0.0.200"}}
    refused(net.ask("POST", "/floatingips", wrong), 400, "BadRequest")


def test_choosing_the_address_is_for_managers(net: Net, admin: Net, public: dict[str, Any]) -> None:
    body = {"floatingip": {"floating_network_id": public["id"], "floating_ip_address": "203.0.113.19"}}
    refused(net.ask("POST", "/floatingips", body), 403, "PolicyNotAuthorized")
    made = admin.make("floatingips", **body["floatingip"])
    assert made["floating_ip_address"] == "203.0.113.19"
    refused(admin.ask("POST", "/floatingips", body), 409, "IpAddressAlreadyAllocated")


def test_the_last_address_of_the_external_network_can_be_taken_and_no_more(net: Net, public: dict[str, Any]) -> None:
    taken = [net.make("floatingips", floating_network_id=public["id"]) for _ in range(11)]
    assert len({one["floating_ip_address"] for one in taken}) == 11
    reply = net.ask("POST", "/floatingips", {"floatingip": {"floating_network_id": public["id"]}})
    refused(reply, 409, "ExternalIpAddressExhausted")


def test_deleting_a_port_lets_its_floating_ip_go(net: Net, public: dict[str, Any], guest: dict[str, Any]) -> None:
    one = net.make("floatingips", floating_network_id=public["id"], port_id=guest["id"])
    net.drop("ports", guest["id"])
    shown = net.show("floatingips", one["id"])
    assert (shown["port_id"], shown["fixed_ip_address"], shown["status"]) == (None, None, "DOWN")


def test_what_a_floating_ip_needs_stays(net: Net, public: dict[str, Any], guest: dict[str, Any]) -> None:
    net.make("floatingips", floating_network_id=public["id"], port_id=guest["id"])
    path = f"/routers/{guest['router']}"
    reply = net.ask("PUT", f"{path}/remove_router_interface", {"subnet_id": guest["subnet"]})
    refused(reply, 409, "RouterInterfaceInUseByFloatingIP")
    cleared = net.ask("PUT", path, {"router": {"external_gateway_info": None}})
    refused(cleared, 409, "RouterExternalGatewayInUseByFloatingIp")


def test_strangers_ports_and_floating_ips_are_not_mixed(
    net: Net, stranger: Net, public: dict[str, Any], guest: dict[str, Any]
) -> None:
    theirs = stranger.make("floatingips", floating_network_id=public["id"])
    refused(net.ask("GET", f"/floatingips/{theirs['id']}"), 404, "FloatingIPNotFound")
    body = {"floatingip": {"port_id": guest["id"]}}
    refused(stranger.ask("PUT", f"/floatingips/{theirs['id']}", body), 404, "PortNotFound")
    assert net.list("floatingips") == []


def test_floating_ips_are_filtered(net: Net, public: dict[str, Any], guest: dict[str, Any]) -> None:
    one = net.make("floatingips", floating_network_id=public["id"], port_id=guest["id"])
    net.make("floatingips", floating_network_id=public["id"])
    for query in (f"port_id={guest['id']}", "fixed_ip_address=10.0.0.2", f"router_id={guest['router']}",
                  f"floating_ip_address={one['floating_ip_address']}"):  # fmt: skip
        assert [f["id"] for f in net.list("floatingips", query)] == [one["id"]]


def test_floating_ips_that_nobody_uses_go_with_their_network(
    net: Net, admin: Net, public: dict[str, Any], guest: dict[str, Any]
) -> None:
    one = net.make("floatingips", floating_network_id=public["id"], port_id=guest["id"])
    net.make("floatingips", floating_network_id=public["id"])
    refused(admin.ask("DELETE", f"/networks/{public['id']}"), 409, "NetworkInUse")
    assert len(net.list("floatingips")) == 2
    net.put("floatingips", one["id"], port_id=None)
    net.put("routers", guest["router"], external_gateway_info=None)
    admin.drop("networks", public["id"])
    assert net.list("floatingips") == []
