from typing import Any

from pilvi.network.extensions.model import EXTENSIONS
from tests.contract.client import Client
from tests.contract.network.conftest import Net, refused


def test_versions_need_no_token(cloud: Client) -> None:
    reply = cloud.anonymous().at("/network").get("/")
    assert reply.status == 200
    assert reply.body["versions"][0]["id"] == "v2.0"
    assert reply.body["versions"][0]["links"][0]["href"].endswith("/network/v2.0/")
    resources = cloud.anonymous().at("/network").get("/v2.0/").body["resources"]
    assert {"networks", "ports", "floatingips"} <= {one["collection"] for one in resources}


def test_extensions_are_told_one_by_one(net: Net) -> None:
    told = {one["alias"] for one in net.ask("GET", "/extensions").body["extensions"]}
    assert told == set(EXTENSIONS)
    assert {"router", "security-group", "external-net", "standard-attr-tag"} <= told
    assert net.ask("GET", "/extensions/router").body["extension"]["alias"] == "router"
    refused(net.ask("GET", "/extensions/teleport"), 404, "ExtensionNotFound")


def test_hosts_are_shown_as_agents_to_administrators(net: Net, admin: Net, node: str) -> None:
    agents = admin.ask("GET", "/agents").body["agents"]
    assert {agent["host"] for agent in agents} == {node}
    assert all(agent["alive"] and agent["admin_state_up"] for agent in agents)
    assert admin.ask("GET", f"/agents/{agents[0]['id']}").body["agent"] == agents[0]
    assert len(admin.ask("GET", "/agents?agent_type=DHCP%20agent").body["agents"]) == 1
    assert net.ask("GET", "/agents").body == {"agents": []}
    refused(net.ask("GET", f"/agents/{agents[0]['id']}"), 403, "PolicyNotAuthorized")
    refused(admin.ask("GET", "/agents/x"), 404, "AgentNotFound")


def test_there_is_one_availability_zone(net: Net, node: str) -> None:
    zones = net.ask("GET", "/availability_zones").body["availability_zones"]
    assert {(zone["name"], zone["resource"], zone["state"]) for zone in zones} == {
        ("nova", "network", "available"), ("nova", "router", "available"),
    }  # fmt: skip


def test_administrators_see_how_many_addresses_are_left(net: Net, admin: Net) -> None:
    network, _ = net.network_with_subnet()
    net.make("subnets", network_id=network["id"], cidr="fd00::/64", ip_version=6)
    net.make("ports", network_id=network["id"])
    found: dict[str, Any] = admin.ask("GET", f"/network-ip-availabilities/{network['id']}").body
    shown = found["network_ip_availability"]
    assert shown["used_ips"] == 2
    by_version = {one["ip_version"]: one for one in shown["subnet_ip_availability"]}
    assert by_version[4]["total_ips"] == 253
    every = admin.ask("GET", "/network-ip-availabilities?ip_version=4").body["network_ip_availabilities"]
    assert [one["total_ips"] for one in every] == [253]
    refused(net.ask("GET", "/network-ip-availabilities"), 403, "PolicyNotAuthorized")


def test_errors_have_type_message_and_detail(net: Net) -> None:
    error = net.ask("GET", "/networks/nowhere").body["NeutronError"]
    assert set(error) == {"type", "message", "detail"}
    assert net.ask("GET", "/nothing").body["NeutronError"]["type"] == "HTTPNotFound"
