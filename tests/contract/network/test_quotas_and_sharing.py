from typing import Any

from tests.contract.network.conftest import Net, refused


def limit(admin: Net, **values: Any) -> Any:
    return admin.ask("PUT", f"/quotas/{admin.project_id}", {"quota": values})


def test_limits_begin_with_the_defaults(net: Net) -> None:
    shown = net.ask("GET", f"/quotas/{net.project_id}").body["quota"]
    assert (shown["network"], shown["port"], shown["router"], shown["subnetpool"]) == (100, 500, 10, -1)
    assert net.ask("GET", f"/quotas/{net.project_id}/default").body["quota"] == shown


def test_limits_are_the_administrators_to_set_and_reset(net: Net, admin: Net) -> None:
    refused(limit(net, network=5), 403, "PolicyNotAuthorized")
    assert limit(admin, network="5").body["quota"]["network"] == 5
    assert limit(admin, colour=5).status == 400
    assert limit(admin, network=-2).status == 400
    assert [one["project_id"] for one in admin.ask("GET", "/quotas").body["quotas"]] == [admin.project_id]
    assert admin.ask("DELETE", f"/quotas/{admin.project_id}").status == 204
    assert net.ask("GET", f"/quotas/{net.project_id}").body["quota"]["network"] == 100


def test_details_tell_the_use(net: Net, stranger: Net) -> None:
    network, _ = net.network_with_subnet()
    net.make("ports", network_id=network["id"])
    for path in ("details", "details.json"):
        shown = net.ask("GET", f"/quotas/{net.project_id}/{path}").body["quota"]
        assert shown["port"] == {"limit": 500, "used": 1, "reserved": 0}
        assert (shown["network"]["used"], shown["subnet"]["used"], shown["security_group"]["used"]) == (1, 1, 1)
    refused(stranger.ask("GET", f"/quotas/{net.project_id}/details"), 403, "PolicyNotAuthorized")


def test_what_exceeds_a_limit_is_refused(net: Net, admin: Net, public: dict[str, Any]) -> None:
    network, _ = net.network_with_subnet()
    limit(admin, network=1, subnet=1, port=0, router=0, floatingip=0, security_group=1, security_group_rule=4,
          rbac_policy=0, subnetpool=0)  # fmt: skip
    group = net.list("security-groups")[0]
    asked: dict[str, dict[str, Any]] = {
        "networks": {"network": {}},
        "subnets": {"subnet": {"network_id": network["id"], "cidr": "10.1.0.0/24", "ip_version": 4}},
        "ports": {"port": {"network_id": network["id"]}},
        "routers": {"router": {}},
        "floatingips": {"floatingip": {"floating_network_id": public["id"]}},
        "security-groups": {"security_group": {"name": "x"}},
        "security-group-rules": {
            "security_group_rule": {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp"}
        },
        "subnetpools": {"subnetpool": {"name": "x", "prefixes": ["10.0.0.0/16"]}},
    }
    for path, body in asked.items():
        message = refused(net.ask("POST", f"/{path}", body), 409, "OverQuota")
        assert message == f"Quota exceeded for resources: ['{next(iter(body))}']."


def test_a_bulk_request_is_refused_as_a_whole(net: Net, admin: Net) -> None:
    limit(admin, network=2)
    refused(net.ask("POST", "/networks", {"networks": [{}, {}, {}]}), 409, "OverQuota")
    assert net.list("networks") == []


def test_check_limit_refuses_limits_below_the_use(net: Net, admin: Net) -> None:
    net.make("networks")
    body = {"quota": {"network": 0, "check_limit": True}}
    refused(admin.ask("PUT", f"/quotas/{net.project_id}", body), 400, "InvalidQuotaValue")
    assert limit(admin, network=0).status == 200


def test_a_network_is_shared_with_one_project(net: Net, stranger: Net) -> None:
    network, _ = net.network_with_subnet()
    other = net.client.facts["other"]
    made = net.make(
        "rbac-policies", object_type="network", object_id=network["id"], action="access_as_shared", target_tenant=other
    )
    assert (made["target_tenant"], made["project_id"]) == (other, net.project_id)
    assert stranger.show("networks", network["id"])["shared"] is True
    assert net.show("networks", network["id"])["shared"] is False
    assert len(stranger.list("subnets")) == 1
    again = {"rbac_policy": {k: made[k] for k in ("object_type", "object_id", "action", "target_tenant")}}
    refused(net.ask("POST", "/rbac-policies", again), 409, "DuplicateRbacPolicy")
    assert [p["id"] for p in net.list("rbac-policies", f"object_id={network['id']}")] == [made["id"]]
    net.drop("rbac-policies", made["id"])
    refused(stranger.ask("GET", f"/networks/{network['id']}"), 404, "NetworkNotFound")


def test_sharing_with_everybody_is_the_administrators(net: Net, admin: Net, stranger: Net) -> None:
    network = net.make("networks")
    values = {"object_type": "network", "object_id": network["id"], "action": "access_as_shared", "target_tenant": "*"}
    refused(net.ask("POST", "/rbac-policies", {"rbac_policy": values}), 403, "PolicyNotAuthorized")
    admin.make("rbac-policies", **values)
    assert stranger.show("networks", network["id"])["shared"] is True
    refused(stranger.ask("POST", "/rbac-policies", {"rbac_policy": values}), 404, "NetworkNotFound")


def test_a_network_may_be_external_for_one_project_only(net: Net, admin: Net, stranger: Net) -> None:
    network = admin.make("networks", name="ext")
    admin.make(
        "rbac-policies", object_type="network", object_id=network["id"], action="access_as_external",
        target_tenant=net.project_id,
    )  # fmt: skip
    assert net.show("networks", network["id"])["router:external"] is True
    refused(stranger.ask("GET", f"/networks/{network['id']}"), 404, "NetworkNotFound")


def test_a_network_that_others_use_stays_shared(net: Net, admin: Net, stranger: Net) -> None:
    network, _ = net.network_with_subnet()
    admin.put("networks", network["id"], shared=True)
    port = stranger.make("ports", network_id=network["id"])
    body = {"network": {"shared": False}}
    refused(admin.ask("PUT", f"/networks/{network['id']}", body), 409, "InvalidSharedSetting")
    everybody = admin.list("rbac-policies", f"object_id={network['id']}")[0]
    refused(admin.ask("DELETE", f"/rbac-policies/{everybody['id']}"), 409, "RbacPolicyInUse")
    net.make("rbac-policies", object_type="network", object_id=network["id"], action="access_as_shared",
             target_tenant=net.client.facts["other"])  # fmt: skip
    assert admin.put("networks", network["id"], shared=False)["shared"] is False
    assert stranger.show("ports", port["id"])["network_id"] == network["id"]


def test_an_address_scope_is_shared_for_good(net: Net, admin: Net, stranger: Net) -> None:
    scope = admin.make("address-scopes", name="s", ip_version=4, shared=True)
    assert stranger.show("address-scopes", scope["id"])["shared"] is True
    body = {"address_scope": {"shared": False}}
    refused(admin.ask("PUT", f"/address-scopes/{scope['id']}", body), 400, "InvalidInput")
    refused(net.ask("PUT", f"/address-scopes/{scope['id']}", {"address_scope": {"name": "x"}}), 403,
            "PolicyNotAuthorized")  # fmt: skip
