from typing import Any

import pytest

from tests.contract.network.conftest import Net, refused


@pytest.fixture
def group(net: Net) -> dict[str, Any]:
    return net.make("security-groups", name="web", description="d")


def ask(net: Net, group: dict[str, Any], **values: Any) -> Any:
    rule = {"security_group_id": group["id"], "direction": "ingress", **values}
    return net.ask("POST", "/security-group-rules", {"security_group_rule": rule})


def test_every_project_has_a_default_group_from_the_first_look_on(net: Net, stranger: Net) -> None:
    groups = net.list("security-groups")
    assert [one["name"] for one in groups] == ["default"]
    rules = groups[0]["security_group_rules"]
    assert sorted((r["direction"], r["ethertype"], r["remote_group_id"] is not None) for r in rules) == [
        ("egress", "IPv4", False), ("egress", "IPv6", False), ("ingress", "IPv4", True), ("ingress", "IPv6", True),
    ]  # fmt: skip
    assert all(rule["belongs_to_default_sg"] for rule in rules)
    assert net.list("security-groups") == groups
    assert stranger.list("security-groups")[0]["id"] != groups[0]["id"]


def test_the_default_group_stays_and_keeps_its_name(net: Net) -> None:
    default = net.list("security-groups")[0]
    refused(net.ask("DELETE", f"/security-groups/{default['id']}"), 409, "SecurityGroupCannotRemoveDefault")
    renamed = net.ask("PUT", f"/security-groups/{default['id']}", {"security_group": {"name": "x"}})
    refused(renamed, 409, "SecurityGroupCannotUpdateDefault")
    again = net.ask("POST", "/security-groups", {"security_group": {"name": "default"}})
    refused(again, 409, "SecurityGroupDefaultAlreadyExists")


def test_a_new_group_lets_everything_out(net: Net, group: dict[str, Any]) -> None:
    assert (group["name"], group["description"], group["stateful"]) == ("web", "d", True)
    assert sorted((r["direction"], r["ethertype"]) for r in group["security_group_rules"]) == [
        ("egress", "IPv4"), ("egress", "IPv6"),
    ]  # fmt: skip
    assert net.put("security-groups", group["id"], name="www", description="")["name"] == "www"


def test_another_group_does_not_become_the_default(net: Net, group: dict[str, Any]) -> None:
    reply = net.ask("PUT", f"/security-groups/{group['id']}", {"security_group": {"name": "default"}})
    refused(reply, 409, "SecurityGroupDefaultAlreadyExists")


def test_rules_are_made_shown_and_deleted(net: Net, group: dict[str, Any]) -> None:
    made = ask(net, group, protocol="TCP", port_range_min=80, port_range_max="90", remote_ip_prefix="10.1.2.3/16")
    assert made.status == 201, made.content
    rule = made.body["security_group_rule"]
    assert (rule["protocol"], rule["port_range_min"], rule["port_range_max"]) == ("tcp", 80, 90)
    assert (rule["remote_ip_prefix"], rule["normalized_cidr"]) == ("10.1.2.3/16", "10.1.0.0/16")
    assert net.show("security-group-rules", rule["id"]) == rule
    assert len(net.list("security-group-rules", f"security_group_id={group['id']}")) == 3
    net.drop("security-group-rules", rule["id"])
    refused(net.ask("GET", f"/security-group-rules/{rule['id']}"), 404, "SecurityGroupRuleNotFound")


def test_the_same_rule_is_made_once(net: Net, group: dict[str, Any]) -> None:
    assert ask(net, group, protocol="tcp", port_range_min=80, port_range_max=80).status == 201
    refused(ask(net, group, protocol="6", port_range_min=80, port_range_max=80), 409, "SecurityGroupRuleExists")
    refused(ask(net, group, direction="egress"), 409, "SecurityGroupRuleExists")


@pytest.mark.parametrize(
    ("values", "type"),
    [
        ({"protocol": "smoke-signals"}, "SecurityGroupRuleInvalidProtocol"),
        ({"protocol": 256}, "SecurityGroupRuleInvalidProtocol"),
        ({"ethertype": "IPX"}, "SecurityGroupRuleInvalidEtherType"),
        ({"protocol": "tcp", "port_range_min": 90, "port_range_max": 80}, "SecurityGroupInvalidPortRange"),
        ({"protocol": "tcp", "port_range_min": 90}, "SecurityGroupInvalidPortRange"),
        ({"protocol": "tcp", "port_range_min": -16, "port_range_max": 80}, "SecurityGroupInvalidPortValue"),
        ({"port_range_min": 80, "port_range_max": 80}, "SecurityGroupProtocolRequiredWithPorts"),
        ({"protocol": "gre", "port_range_min": 1, "port_range_max": 2}, "SecurityGroupInvalidProtocolForPort"),
        ({"protocol": "icmp", "port_range_max": 2}, "SecurityGroupMissingIcmpType"),
        ({"protocol": "icmp", "port_range_min": 300}, "SecurityGroupInvalidIcmpValue"),
        ({"protocol": "icmpv6"}, "SecurityGroupEthertypeConflictWithProtocol"),
        ({"remote_ip_prefix": "fd00::/64"}, "SecurityGroupRuleParameterConflict"),
        ({"remote_ip_prefix": "nowhere"}, "InvalidInput"),
        ({"direction": "sideways"}, "InvalidInput"),
    ],
)
def test_rules_that_mean_nothing_are_refused(
    net: Net, group: dict[str, Any], values: dict[str, Any], type: str
) -> None:
    refused(ask(net, group, **values), 400, type)


def test_a_remote_is_a_prefix_or_a_group(net: Net, group: dict[str, Any]) -> None:
    both = ask(net, group, remote_ip_prefix="10.0.0.0/8", remote_group_id=group["id"])
    refused(both, 400, "SecurityGroupRemoteGroupAndRemoteIpPrefix")
    unknown = ask(net, group, remote_group_id="00000000-0000-4000-8000-000000000000")
    refused(unknown, 404, "SecurityGroupNotFound")
    assert ask(net, group, remote_group_id=group["id"]).status == 201


def test_several_rules_are_made_at_once(net: Net, group: dict[str, Any]) -> None:
    rules = [
        {"security_group_id": group["id"], "direction": "ingress", "protocol": "udp", "port_range_min": n,
         "port_range_max": n} for n in (53, 123)
    ]  # fmt: skip
    reply = net.ask("POST", "/security-group-rules", {"security_group_rules": rules})
    assert reply.status == 201
    assert [rule["port_range_min"] for rule in reply.body["security_group_rules"]] == [53, 123]


def test_a_group_in_use_stays(net: Net, group: dict[str, Any]) -> None:
    network, _ = net.network_with_subnet()
    port = net.make("ports", network_id=network["id"], security_groups=[group["id"]])
    refused(net.ask("DELETE", f"/security-groups/{group['id']}"), 409, "SecurityGroupInUse")
    net.drop("ports", port["id"])
    net.drop("security-groups", group["id"])


def test_rules_about_a_group_go_with_it(net: Net, group: dict[str, Any]) -> None:
    other = net.make("security-groups", name="other")
    assert ask(net, other, remote_group_id=group["id"]).status == 201
    net.drop("security-groups", group["id"])
    assert len(net.show("security-groups", other["id"])["security_group_rules"]) == 2


def test_strangers_neither_see_nor_use_a_group(net: Net, stranger: Net, group: dict[str, Any]) -> None:
    refused(stranger.ask("GET", f"/security-groups/{group['id']}"), 404, "SecurityGroupNotFound")
    refused(ask(stranger, group), 404, "SecurityGroupNotFound")
    network, _ = stranger.network_with_subnet()
    body = {"port": {"network_id": network["id"], "security_groups": [group["id"]]}}
    refused(stranger.ask("POST", "/ports", body), 404, "SecurityGroupNotFound")


def test_a_group_shared_with_a_project_can_be_used_there(net: Net, stranger: Net, group: dict[str, Any]) -> None:
    shared = net.make(
        "rbac-policies", object_type="security_group", object_id=group["id"], action="access_as_shared",
        target_tenant=net.client.facts["other"],
    )  # fmt: skip
    assert stranger.show("security-groups", group["id"])["shared"] is True
    network, _ = stranger.network_with_subnet()
    stranger.make("ports", network_id=network["id"], security_groups=[group["id"]])
    refused(net.ask("DELETE", f"/rbac-policies/{shared['id']}"), 409, "RbacPolicyInUse")


def test_stateless_groups_are_refused_by_name(net: Net) -> None:
    reply = net.ask("POST", "/security-groups", {"security_group": {"name": "x", "stateful": False}})
    assert "stateless" in refused(reply, 400, "InvalidInput")
