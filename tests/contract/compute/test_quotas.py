"""Quota sets, the default class, limits."""

import pytest

from tests.contract.client import Client
from tests.contract.compute.conftest import Boot

NETWORK = {"fixed_ips", "floating_ips", "security_groups", "security_group_rules"}
INJECTED = {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
ALWAYS = {"id", "instances", "cores", "ram", "metadata_items", "key_pairs", "server_groups", "server_group_members"}


def test_names_leave_with_their_versions(cloud: Client) -> None:
    path = f"/os-quota-sets/{cloud.facts['demo']}"
    for at, names in (("2.1", ALWAYS | NETWORK | INJECTED), ("2.36", ALWAYS | INJECTED), ("2.57", ALWAYS)):
        assert set(cloud.get(path, microversion=at).body["quota_set"]) == names
        found = cloud.as_admin().get("/os-quota-class-sets/default", microversion=at).body["quota_class_set"]
        assert set(found) == names
    old, new = (set(cloud.get("/limits", microversion=v).body["limits"]["absolute"]) for v in ("2.35", "2.57"))
    assert old - new == {
        "maxImageMeta", "maxPersonality", "maxPersonalitySize", "maxSecurityGroups", "maxSecurityGroupRules",
        "maxTotalFloatingIps", "totalFloatingIpsUsed", "totalSecurityGroupsUsed",
    }  # fmt: skip
    assert "maxImageMeta" not in cloud.get("/limits", microversion="2.39").body["limits"]["absolute"]


def test_a_quota_is_set_shown_and_put_back(cloud: Client) -> None:
    admin, path = cloud.as_admin(), f"/os-quota-sets/{cloud.facts['demo']}"
    before = cloud.get(path).body["quota_set"]
    changed = admin.put(path, {"quota_set": {"cores": 7, "fixed_ips": 9}}).body["quota_set"]
    assert (changed["cores"], changed["fixed_ips"]) == (7, 9)
    assert "id" not in changed
    assert cloud.get(path).body["quota_set"]["cores"] == 7
    assert cloud.get(f"{path}/defaults").body["quota_set"] == before
    assert admin.delete(path).status == 202
    assert cloud.get(path).body["quota_set"] == before


def test_the_default_class_holds_for_projects_without_a_word_of_their_own(cloud: Client) -> None:
    admin, path = cloud.as_admin(), f"/os-quota-sets/{cloud.facts['demo']}"
    admin.put(path, {"quota_set": {"cores": 7}})
    body = {"quota_class_set": {"cores": 30, "instances": 31}}
    assert admin.put("/os-quota-class-sets/default", body).body["quota_class_set"]["cores"] == 30
    found = cloud.get(path).body["quota_set"]
    assert (found["cores"], found["instances"]) == (7, 31)
    assert cloud.put("/os-quota-class-sets/default", body).status == 403


@pytest.mark.parametrize("values", [{"cores": -2}, {"cores": "many"}, {"unknown": 1}, {"cores": 2**31}])
def test_nonsense_is_refused(cloud: Client, values: dict) -> None:  # type: ignore[type-arg]
    assert cloud.as_admin().put(f"/os-quota-sets/{cloud.facts['demo']}", {"quota_set": values}).status == 400


def test_network_names_are_refused_from_2_36(cloud: Client) -> None:
    path, body = f"/os-quota-sets/{cloud.facts['demo']}", {"quota_set": {"floating_ips": 1}}
    assert cloud.as_admin().put(path, body, microversion="2.36").status == 400


def test_usage_is_counted_from_the_servers_themselves(cloud: Client, boot: Boot) -> None:
    id = boot()
    detail = cloud.get(f"/os-quota-sets/{cloud.facts['demo']}/detail").body["quota_set"]
    assert detail["cores"] == {"limit": 20, "in_use": 1, "reserved": 0}
    assert detail["ram"]["in_use"] == 192
    absolute = cloud.get("/limits").body["limits"]["absolute"]
    assert (absolute["totalInstancesUsed"], absolute["maxTotalInstances"]) == (1, 10)
    assert cloud.get("/limits").body["limits"]["rate"] == []
    cloud.delete(f"/servers/{id}")
    boot.node.turn()
    assert cloud.get("/limits").body["limits"]["absolute"]["totalInstancesUsed"] == 0


def test_a_limit_below_the_usage_needs_force(cloud: Client, boot: Boot) -> None:
    boot("a")
    boot("b")
    admin, path = cloud.as_admin(), f"/os-quota-sets/{cloud.facts['demo']}"
    reply = admin.put(path, {"quota_set": {"instances": 1}})
    assert reply.status == 400
    assert "already used 2" in reply.body["badRequest"]["message"]
    assert admin.put(path, {"quota_set": {"instances": 1, "force": True}}).status == 200


def test_others_quotas_and_limits_are_for_administrators(cloud: Client) -> None:
    demo = cloud.facts["demo"]
    assert cloud.as_stranger().get(f"/os-quota-sets/{demo}").status == 403
    assert cloud.as_stranger().get(f"/limits?tenant_id={demo}").status == 403
    assert cloud.as_admin().get(f"/limits?tenant_id={demo}").status == 200
    assert cloud.put(f"/os-quota-sets/{demo}", {"quota_set": {"cores": 1}}).status == 403


def test_too_much_metadata_is_a_matter_of_quota(cloud: Client, boot: Boot) -> None:
    reply = boot.ask("x", metadata={str(n): "" for n in range(129)})
    assert reply.status == 403
    assert "metadata items exceeds 128" in reply.body["forbidden"]["message"]
