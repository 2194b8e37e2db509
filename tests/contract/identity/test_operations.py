"""Operations that other tests do not come by: one object's life from creation to 404, and reads of what was written."""

from typing import Any

import pytest

from tests.contract.identity.conftest import World, with_token

RULES = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]


def ids_of(reply: Any, plural: str) -> list[str]:
    assert reply.status == 200, reply.content
    return [entry["id"] for entry in reply.body[plural]]


@pytest.mark.parametrize(
    ("path", "root", "plural", "given", "change"),
    [
        ("/groups", "group", "groups", {"name": "team", "domain_id": "default"}, {"description": "us"}),
        ("/roles", "role", "roles", {"name": "painter"}, {"description": "may paint"}),
        ("/regions", "region", "regions", {"id": "north"}, {"description": "cold"}),
        ("/policies", "policy", "policies", {"type": "application/json", "blob": "{}"}, {"blob": "[]"}),
        ("/credentials", "credential", "credentials", {"type": "cert", "blob": "x"}, {"blob": "y"}),
        ("/services", "service", "services", {"type": "dns", "name": "names"}, {"name": "others"}),
    ],
)
def test_it_lives_and_dies(
    world: World, path: str, root: str, plural: str, given: dict[str, Any], change: dict[str, Any]
) -> None:
    before = ids_of(world.admin.get(path), plural)
    made = world.make(path, root, **given)
    one = f"{path}/{made['id']}"
    assert {name: made[name] for name in given} == given
    assert world.admin.get(one).body[root] == made
    assert sorted(ids_of(world.admin.get(path), plural)) == sorted([*before, made["id"]])
    changed = world.admin.patch(one, {root: change})
    assert changed.status == 200, changed.content
    assert world.admin.get(one).body[root] == {**made, **change}
    assert world.admin.delete(one).status == 204
    assert world.admin.get(one).status == 404
    assert world.admin.patch(one, {root: change}).status == 404
    assert world.admin.delete(one).status == 404
    assert sorted(ids_of(world.admin.get(path), plural)) == sorted(before)


def test_an_endpoint_lives_and_dies(world: World) -> None:
    service = world.make("/services", "service", type="dns")
    made = world.make("/endpoints", "endpoint", service_id=service["id"], interface="admin", url="http://dns")
    one = f"/endpoints/{made['id']}"
    assert world.admin.get(one).body["endpoint"] == made
    assert world.admin.delete(one).status == 204
    assert world.admin.get(one).status == 404


@pytest.mark.parametrize("actor", ["user", "group"])
@pytest.mark.parametrize("target", ["projects", "domains"])
def test_an_inherited_grant_is_given_checked_and_taken(world: World, actor: str, target: str) -> None:
    who = world.user() if actor == "user" else world.group()
    where = world.project()["id"] if target == "projects" else "default"
    many = f"/OS-INHERIT/{target}/{where}/{actor}s/{who['id']}/roles"
    one = f"{many}/{world.roles['reader']}/inherited_to_projects"
    assert world.admin.request("HEAD", one).status == 404
    assert world.admin.put(one).status == 204
    assert world.admin.request("HEAD", one).status == 204
    plain = f"/{target}/{where}/{actor}s/{who['id']}/roles/{world.roles['reader']}"
    assert world.admin.request("HEAD", plain).status == 404
    listed = world.admin.get(f"{many}/inherited_to_projects")
    assert ids_of(listed, "roles") == [world.roles["reader"]]
    assert world.admin.delete(one).status == 204
    assert ids_of(world.admin.get(f"{many}/inherited_to_projects"), "roles") == []
    assert world.admin.delete(one).status == 404


@pytest.mark.parametrize("actor", ["user", "group"])
def test_a_system_grant_is_checked_with_get_too(world: World, actor: str) -> None:
    who = world.user() if actor == "user" else world.group()
    one = f"/system/{actor}s/{who['id']}/roles/{world.roles['reader']}"
    assert world.admin.get(one).status == 404
    world.grant(one)
    assert (world.admin.get(one).status, world.admin.get(one).content) == (204, b"")


def test_a_tag_is_asked_for_with_head(world: World) -> None:
    tags = f"/projects/{world.project()['id']}/tags"
    assert world.admin.request("HEAD", f"{tags}/red").status == 404
    assert world.admin.put(f"{tags}/red").status == 201
    assert world.admin.request("HEAD", f"{tags}/red").status == 204


def test_application_credentials_and_their_access_rules_are_read_by_their_owner(world: World) -> None:
    user, project = world.member()
    me = with_token(world.admin, world.project_token(user, project))
    path = f"/users/{user['id']}/application_credentials"
    rule = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}
    body = {"application_credential": {"name": "robot", "access_rules": [rule]}}
    made = me.post(path, body).body["application_credential"]
    listed = me.get(path).body["application_credentials"]
    assert [(found["id"], found["name"]) for found in listed] == [(made["id"], "robot")]
    assert "secret" in made
    assert "secret" not in listed[0]
    assert ids_of(me.get(f"{path}?name=other"), "application_credentials") == []
    rule_id = made["access_rules"][0]["id"]
    shown = me.get(f"/users/{user['id']}/access_rules/{rule_id}").body["access_rule"]
    assert {name: shown[name] for name in rule} == rule
    bob, elsewhere = world.member("bob")
    other = with_token(world.admin, world.project_token(bob, elsewhere))
    assert other.get(f"/users/{user['id']}/access_rules/{rule_id}").status == 403


def test_a_role_of_a_trust_is_shown_to_both(world: World) -> None:
    ann, lab = world.member()
    bob = world.user("bob")
    me = with_token(world.admin, world.project_token(ann, lab))
    body = {
        "trust": {
            "trustor_user_id": ann["id"], "trustee_user_id": bob["id"], "impersonation": False,
            "project_id": lab["id"], "roles": [{"id": world.roles["member"]}],
        }
    }  # fmt: skip
    roles = f"/OS-TRUST/trusts/{me.post('/OS-TRUST/trusts', body).body['trust']['id']}/roles"
    assert me.get(f"{roles}/{world.roles['member']}").body["role"]["name"] == "member"
    assert me.request("HEAD", f"{roles}/{world.roles['member']}").status == 200
    trustee = with_token(world.admin, world.token(bob))
    assert trustee.get(f"{roles}/{world.roles['member']}").status == 200
    assert me.get(f"{roles}/{world.roles['admin']}").status == 404


def test_a_limit_is_taken_away(world: World) -> None:
    (service,) = world.admin.get("/services?type=image").body["services"]
    about = {"service_id": service["id"], "resource_name": "image_count_total"}
    registered = {"registered_limits": [{**about, "default_limit": 10}]}
    assert world.admin.post("/registered_limits", registered).status == 201
    project = world.project()
    body = {"limits": [{**about, "resource_limit": 5, "project_id": project["id"]}]}
    (made,) = world.admin.post("/limits", body).body["limits"]
    assert world.admin.get(f"/limits/{made['id']}").body["limit"]["resource_limit"] == 5
    assert world.admin.delete(f"/limits/{made['id']}").status == 204
    assert world.admin.get(f"/limits/{made['id']}").status == 404
    assert world.admin.get(f"/limits?project_id={project['id']}").body["limits"] == []


def test_mappings_and_protocols_are_listed_shown_and_changed(world: World) -> None:
    base = "/OS-FEDERATION"
    for name in ("one", "two"):
        assert world.admin.put(f"{base}/mappings/{name}", {"mapping": {"rules": RULES}}).status == 201
    assert sorted(ids_of(world.admin.get(f"{base}/mappings"), "mappings")) == ["one", "two"]
    assert world.admin.get(f"{base}/mappings/one").body["mapping"]["rules"] == RULES
    assert world.admin.get(f"{base}/mappings/three").status == 404
    assert world.admin.put(f"{base}/identity_providers/corp", {"identity_provider": {}}).status == 201
    path = f"{base}/identity_providers/corp/protocols/openid"
    assert world.admin.put(path, {"protocol": {"mapping_id": "one"}}).status == 201
    changed = world.admin.patch(path, {"protocol": {"mapping_id": "two"}})
    assert (changed.status, changed.body["protocol"]["mapping_id"]) == (200, "two")
    assert world.admin.get(path).body["protocol"]["mapping_id"] == "two"
    assert world.admin.patch(path, {"protocol": {"mapping_id": "three"}}).status == 400


def test_a_domain_has_options_of_its_own(world: World) -> None:
    path = f"/domains/{world.domain()['id']}/config"
    assert world.admin.get(path).status == 404
    given = {"identity": {"list_limit": 10}, "ldap": {"url": "ldap://here", "suffix": "o=x", "password": "secret"}}
    kept = {"identity": {"list_limit": 10}, "ldap": {"url": "ldap://here", "suffix": "o=x"}}
    assert world.admin.put(path, {"config": given}).status == 201
    assert world.admin.get(path).body["config"] == kept
    changed = world.admin.patch(path, {"config": {"identity": {"list_limit": 20}}})
    assert changed.body["config"]["identity"] == {"list_limit": 20}
    group = world.admin.patch(f"{path}/ldap", {"config": {"ldap": {"url": "ldap://there"}}})
    assert group.body["config"]["ldap"] == {"url": "ldap://there", "suffix": "o=x"}
    assert world.admin.get(f"{path}/ldap/url").body["config"] == {"url": "ldap://there"}
    assert world.admin.delete(f"{path}/ldap/suffix").status == 204
    assert world.admin.get(f"{path}/ldap/suffix").status == 404
    assert world.admin.delete(f"{path}/identity").status == 204
    assert world.admin.get(path).body["config"] == {"ldap": {"url": "ldap://there"}}
    assert world.admin.delete(path).status == 204
    assert world.admin.get(path).status == 404


def test_the_default_options_are_shown_by_group(world: World) -> None:
    everything = world.admin.get("/domains/config/default").body["config"]
    group = world.admin.get("/domains/config/identity/default").body["config"]
    assert group == {"identity": everything["identity"]}
    assert world.admin.get("/domains/config/identity/driver/default").body["config"] == {"driver": "sql"}
    assert "password" not in everything["ldap"]
    assert world.admin.get("/domains/config/nothing/default").status == 403


def test_endpoint_groups_are_listed_changed_and_told_apart_by_project(world: World) -> None:
    base, project = "/OS-EP-FILTER", world.project()
    group = world.make(f"{base}/endpoint_groups", "endpoint_group", name="c", filters={"interface": "public"})
    path = f"{base}/endpoint_groups/{group['id']}"
    assert world.admin.get(path).body["endpoint_group"] == group
    assert ids_of(world.admin.get(f"{base}/endpoint_groups"), "endpoint_groups") == [group["id"]]
    public = ids_of(world.admin.get("/endpoints?interface=public"), "endpoints")
    assert sorted(ids_of(world.admin.get(f"{path}/endpoints"), "endpoints")) == sorted(public)
    changed = world.admin.patch(path, {"endpoint_group": {"filters": {"interface": "admin"}}})
    assert changed.body["endpoint_group"]["filters"] == {"interface": "admin"}
    admin = ids_of(world.admin.get("/endpoints?interface=admin"), "endpoints")
    assert sorted(ids_of(world.admin.get(f"{path}/endpoints"), "endpoints")) == sorted(admin)
    one = f"{path}/projects/{project['id']}"
    assert world.admin.get(one).status == 404
    world.grant(one)
    assert world.admin.get(one).body["project"]["id"] == project["id"]
    assert ids_of(world.admin.get(f"{path}/projects"), "projects") == [project["id"]]
    of_project = world.admin.get(f"{base}/projects/{project['id']}/endpoint_groups")
    assert ids_of(of_project, "endpoint_groups") == [group["id"]]
    assert world.admin.delete(one).status == 204
    assert ids_of(world.admin.get(f"{path}/projects"), "projects") == []


def test_an_endpoint_knows_the_projects_that_chose_it(world: World) -> None:
    project = world.project()
    endpoint = world.admin.get("/endpoints").body["endpoints"][0]
    path = f"/OS-EP-FILTER/endpoints/{endpoint['id']}/projects"
    assert ids_of(world.admin.get(path), "projects") == []
    world.grant(f"/OS-EP-FILTER/projects/{project['id']}/endpoints/{endpoint['id']}")
    assert ids_of(world.admin.get(path), "projects") == [project["id"]]


@pytest.mark.parametrize(
    "odd",
    [
        {"roles": [{"name": {}}]},
        {"roles": [{"id": ["a"]}]},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_a_trust_with_odd_values_is_refused(world: World, odd: dict[str, Any]) -> None:
    """Found by requests that schemathesis made."""
    trust = {"trustor_user_id": "me", "trustee_user_id": "you", "impersonation": False, "project_id": "p", **odd}
    assert world.admin.post("/OS-TRUST/trusts", {"trust": trust}).status == 400
