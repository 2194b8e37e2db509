from typing import Any

import pytest

from tests.contract.network.conftest import Net, refused


@pytest.fixture
def network(net: Net) -> dict[str, Any]:
    return net.network_with_subnet()[0]


def ips(port: dict[str, Any]) -> list[str]:
    return [fixed["ip_address"] for fixed in port["fixed_ips"]]


def test_a_new_port_has_an_address_a_mac_and_the_default_group(net: Net, network: dict[str, Any]) -> None:
    port = net.make("ports", network_id=network["id"], name="p")
    assert ips(port) == ["10.0.0.2"]
    assert port["mac_address"].startswith("fa:16:3e:")
    assert (port["status"], port["admin_state_up"], port["port_security_enabled"]) == ("DOWN", True, True)
    default = net.list("security-groups", "name=default")[0]
    assert port["security_groups"] == [default["id"]]
    assert port["binding:vnic_type"] == "normal"
    assert "binding:host_id" not in port
    assert port == net.show("ports", port["id"])


def test_an_administrator_sees_and_sets_the_binding(net: Net, admin: Net, network: dict[str, Any], node: str) -> None:
    port = net.make("ports", network_id=network["id"])
    assert admin.show("ports", port["id"])["binding:vif_type"] == "unbound"
    refused(net.ask("PUT", f"/ports/{port['id']}", {"port": {"binding:host_id": node}}), 403, "PolicyNotAuthorized")
    bound = admin.put("ports", port["id"], **{"binding:host_id": node})
    assert (bound["binding:host_id"], bound["binding:vif_type"], bound["status"]) == (node, "tap", "DOWN")
    assert [p["id"] for p in admin.list("ports", f"binding:host_id={node}")] == [port["id"]]
    assert admin.put("ports", port["id"], **{"binding:host_id": ""})["binding:vif_type"] == "unbound"


def test_addresses_are_given_as_asked(net: Net, network: dict[str, Any]) -> None:
    subnet = network_subnet(net, network)
    port = net.make("ports", network_id=network["id"], fixed_ips=[{"ip_address": "10.0.0.99"}])
    assert port["fixed_ips"] == [{"subnet_id": subnet, "ip_address": "10.0.0.99"}]
    two = net.make("ports", network_id=network["id"], fixed_ips=[{"subnet_id": subnet}, {"subnet_id": subnet}])
    assert len(set(ips(two))) == 2
    assert ips(net.make("ports", network_id=network["id"], fixed_ips=[])) == []


def network_subnet(net: Net, network: dict[str, Any]) -> str:
    id: str = net.show("networks", network["id"])["subnets"][0]
    return id


@pytest.mark.parametrize(
    ("values", "status", "type"),
    [
        ({"fixed_ips": [{"ip_address": "10.9.9.9"}]}, 400, "InvalidIpForNetwork"),
        ({"fixed_ips": [{"ip_address": "10.0.0.255"}]}, 400, "InvalidIpForSubnet"),
        ({"fixed_ips": [{"ip_address": "none"}]}, 400, "InvalidInput"),
        ({"fixed_ips": [{"subnet_id": "00000000-0000-4000-8000-000000000000"}]}, 400, "InvalidInput"),
        ({"fixed_ips": [{}]}, 400, "InvalidInput"),
        ({"mac_address": "01:00:00:00:00:01"}, 400, "InvalidInput"),
        ({"security_groups": ["00000000-0000-4000-8000-000000000000"]}, 404, "SecurityGroupNotFound"),
        ({"allowed_address_pairs": [{"ip_address": "x"}]}, 400, "InvalidInput"),
        ({"dns_name": "not a name"}, 400, "InvalidInput"),
        ({"binding:vnic_type": "direct"}, 400, "InvalidInput"),
        ({"device_owner": "network:dhcp", "network_id": "other"}, 400, "InvalidInput"),
    ],
)
def test_ports_that_cannot_be_are_refused(
    net: Net, network: dict[str, Any], values: dict[str, Any], status: int, type: str
) -> None:
    reply = net.ask("POST", "/ports", {"port": {"network_id": network["id"], **values}})
    refused(reply, status, type)


def test_an_address_and_a_mac_are_given_once(net: Net, network: dict[str, Any]) -> None:
    port = net.make("ports", network_id=network["id"])
    same_ip = {"network_id": network["id"], "fixed_ips": [{"ip_address": ips(port)[0]}]}
    refused(net.ask("POST", "/ports", {"port": same_ip}), 409, "IpAddressAlreadyAllocated")
    same_mac = {"network_id": network["id"], "mac_address": port["mac_address"].upper()}
    refused(net.ask("POST", "/ports", {"port": same_mac}), 409, "MacAddressInUse")


def test_a_full_subnet_says_so_and_gives_freed_addresses_again(net: Net) -> None:
    network, _ = net.network_with_subnet("10.0.0.0/29")
    made = [net.make("ports", network_id=network["id"]) for _ in range(5)]
    reply = net.ask("POST", "/ports", {"port": {"network_id": network["id"]}})
    refused(reply, 409, "IpAddressGenerationFailure")
    net.drop("ports", made[2]["id"])
    assert ips(net.make("ports", network_id=network["id"])) == ips(made[2])


def test_several_ports_are_made_at_once(net: Net, network: dict[str, Any]) -> None:
    body = {"ports": [{"network_id": network["id"], "name": n, "tags": ["x"]} for n in "abc"]}
    reply = net.ask("POST", "/ports", body)
    assert reply.status == 201
    assert len({ips(port)[0] for port in reply.body["ports"]}) == 3
    assert len(net.list("ports", "tags=x")) == 3


def test_a_port_is_changed(net: Net, network: dict[str, Any]) -> None:
    port = net.make("ports", network_id=network["id"])
    group = net.make("security-groups", name="g")
    changed = net.put(
        "ports", port["id"], name="n", admin_state_up=False, security_groups=[group["id"]],
        fixed_ips=[{"ip_address": "10.0.0.50"}], allowed_address_pairs=[{"ip_address": "10.0.0.0/28"}],
        extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "x"}], dns_name="web", device_id="d",
        device_owner="custom",
    )  # fmt: skip
    assert (changed["name"], changed["admin_state_up"], changed["device_id"]) == ("n", False, "d")
    assert changed["security_groups"] == [group["id"]]
    assert ips(changed) == ["10.0.0.50"]
    assert changed["allowed_address_pairs"] == [{"mac_address": port["mac_address"], "ip_address": "10.0.0.0/28"}]
    assert changed["extra_dhcp_opts"][0]["opt_name"] == "bootfile-name"
    assert changed["dns_assignment"][0]["fqdn"] == "web.pilvi.internal."
    gone = [{"opt_name": "bootfile-name", "opt_value": None}]
    assert net.put("ports", port["id"], extra_dhcp_opts=gone)["extra_dhcp_opts"] == []
    assert ips(net.make("ports", network_id=network["id"], fixed_ips=[{"ip_address": "10.0.0.2"}])) == ["10.0.0.2"]


def test_addresses_that_stay_are_kept(net: Net, network: dict[str, Any]) -> None:
    subnet = network_subnet(net, network)
    port = net.make("ports", network_id=network["id"])
    grown = net.put("ports", port["id"], fixed_ips=[{"subnet_id": subnet, "ip_address": "10.0.0.2"},
                                                    {"subnet_id": subnet}])  # fmt: skip
    assert ips(grown)[0] == "10.0.0.2"
    assert len(ips(grown)) == 2


def test_without_port_security_there_are_no_groups(net: Net, network: dict[str, Any]) -> None:
    port = net.make("ports", network_id=network["id"], port_security_enabled=False)
    assert (port["port_security_enabled"], port["security_groups"]) == (False, [])
    group = net.make("security-groups", name="g")
    body = {"port": {"network_id": network["id"], "port_security_enabled": False, "security_groups": [group["id"]]}}
    refused(net.ask("POST", "/ports", body), 400, "PortSecurityAndIPRequiredForSecurityGroups")
    secure = net.make("ports", network_id=network["id"])
    off = net.ask("PUT", f"/ports/{secure['id']}", {"port": {"port_security_enabled": False}})
    refused(off, 409, "PortSecurityPortHasSecurityGroup")
    both = {"port_security_enabled": False, "security_groups": []}
    assert net.put("ports", secure["id"], **both)["security_groups"] == []
    pairs = {"port": {"allowed_address_pairs": [{"ip_address": "10.0.0.9"}]}}
    refused(net.ask("PUT", f"/ports/{port['id']}", pairs), 409, "AddressPairAndPortSecurityRequired")


def test_ports_are_found_by_address(net: Net, network: dict[str, Any]) -> None:
    one = net.make("ports", network_id=network["id"], fixed_ips=[{"ip_address": "10.0.0.21"}])
    two = net.make("ports", network_id=network["id"], fixed_ips=[{"ip_address": "10.0.0.210"}])
    subnet = network_subnet(net, network)
    assert [p["id"] for p in net.list("ports", "fixed_ips=ip_address=10.0.0.21")] == [one["id"]]
    both = {one["id"], two["id"]}
    assert {p["id"] for p in net.list("ports", "fixed_ips=ip_address_substr=.21")} == both
    assert {p["id"] for p in net.list("ports", f"fixed_ips=subnet_id={subnet}")} == both
    assert net.list("ports", f"fixed_ips=subnet_id={subnet}&fixed_ips=ip_address=10.0.0.7") == []
    assert [p["id"] for p in net.list("ports", f"mac_address={one['mac_address'].upper()}")] == [one["id"]]
    group = one["security_groups"][0]
    assert {p["id"] for p in net.list("ports", f"security_groups={group}")} == both


def test_an_owner_of_a_network_sees_every_port_on_it(net: Net, admin: Net, stranger: Net) -> None:
    network, _ = net.network_with_subnet()
    admin.put("networks", network["id"], shared=True)
    theirs = stranger.make("ports", network_id=network["id"])
    assert [p["id"] for p in net.list("ports")] == [theirs["id"]]
    refused(net.ask("PUT", f"/ports/{theirs['id']}", {"port": {"name": "x"}}), 403, "PolicyNotAuthorized")
    mine = net.make("ports", network_id=network["id"])
    refused(stranger.ask("GET", f"/ports/{mine['id']}"), 404, "PortNotFound")
    chosen = {"port": {"network_id": network["id"], "fixed_ips": [{"ip_address": "10.0.0.9"}]}}
    refused(stranger.ask("POST", "/ports", chosen), 403, "PolicyNotAuthorized")
    net.drop("ports", theirs["id"])


def test_an_external_network_is_not_for_everybodys_ports(net: Net, public: dict[str, Any]) -> None:
    reply = net.ask("POST", "/ports", {"port": {"network_id": public["id"]}})
    refused(reply, 403, "PolicyNotAuthorized")


def test_ports_of_routers_are_not_deleted_directly(net: Net) -> None:
    _, subnet = net.network_with_subnet()
    interface = net.interface(net.make("routers"), subnet)
    refused(net.ask("DELETE", f"/ports/{interface['port_id']}"), 409, "ServicePortInUse")


@pytest.mark.parametrize("owner", ["network:router_interface", "network:router_gateway", "network:floatingip"])
def test_nobody_plugs_a_network_into_a_router_by_claiming_so(net: Net, stranger: Net, owner: str) -> None:
    router = net.make("routers")
    network, _ = stranger.network_with_subnet()
    claim = {"device_owner": owner, "device_id": router["id"]}
    refused(stranger.ask("POST", "/ports", {"port": {"network_id": network["id"], **claim}}), 400, "InvalidInput")
    port = stranger.make("ports", network_id=network["id"])
    refused(stranger.ask("PUT", f"/ports/{port['id']}", {"port": claim}), 400, "InvalidInput")
    net.drop("routers", router["id"])


def test_a_leg_of_a_router_cannot_be_given_to_something_else(net: Net, admin: Net) -> None:
    _, subnet = net.network_with_subnet()
    leg = net.interface(net.make("routers"), subnet)["port_id"]
    for who in (net, admin):
        refused(who.ask("PUT", f"/ports/{leg}", {"port": {"device_id": "x"}}), 409, "PortInUse")
    assert net.put("ports", leg, name="leg")["name"] == "leg"


def test_guests_on_ipv6_make_their_address_of_the_mac(net: Net) -> None:
    network, _ = net.network_with_subnet("fd00::/64", ipv6_address_mode="slaac", ipv6_ra_mode="slaac")
    port = net.make("ports", network_id=network["id"], mac_address="fa:16:3e:11:22:33")
    assert ips(port) == ["fd00::f816:3eff:fe11:2233"]


def test_the_first_bound_port_brings_the_port_that_serves_dhcp(
    net: Net, admin: Net, network: dict[str, Any], node: str
) -> None:
    port = net.make("ports", network_id=network["id"])
    assert net.list("ports", "device_owner=network:dhcp") == []
    admin.put("ports", port["id"], **{"binding:host_id": node})
    service = net.list("ports", "device_owner=network:dhcp")
    assert [p["status"] for p in service] == ["ACTIVE"]
    assert ips(service[0]) == ["10.0.0.3"]
    subnet = network_subnet(net, network)
    net.put("subnets", subnet, enable_dhcp=False)
    assert ips(net.show("ports", service[0]["id"])) == []
    net.put("subnets", subnet, enable_dhcp=True)
    assert len(ips(net.show("ports", service[0]["id"]))) == 1
    net.drop("ports", port["id"])
    net.drop("networks", network["id"])
