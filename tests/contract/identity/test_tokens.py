"""Logging in, what tokens say, and that every loss of rights counts from the next request on."""

import pytest

from tests.contract.client import Client
from tests.contract.identity.conftest import World, by_password, log_in, token_of, validate, with_token


def scope(project: dict[str, str]) -> dict[str, dict[str, str]]:
    return {"project": {"id": project["id"]}}


def test_a_project_token_says_who_where_and_with_which_roles(world: World) -> None:
    user, project = world.member()
    reply = log_in(world.admin, by_password(user["id"], "secret"), scope(project))
    token = reply.body["token"]
    assert reply.status == 201
    assert token["methods"] == ["password"]
    assert token["user"] == {
        "id": user["id"], "name": "ann", "domain": {"id": "default", "name": "Default"}, "password_expires_at": None,
    }  # fmt: skip
    assert token["project"] == {"id": project["id"], "name": "ann-lab", "domain": {"id": "default", "name": "Default"}}
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    assert token["is_domain"] is False
    assert {service["type"] for service in token["catalog"]} >= {"identity", "compute", "image", "network", "placement"}
    assert token["expires_at"] > token["issued_at"]
    assert len(token["audit_ids"]) == 1
    assert len(token_of(reply)) < 255


def test_scopes_unscoped_domain_and_system(world: World) -> None:
    user = world.user()
    world.grant(f"/domains/default/users/{user['id']}/roles/{world.roles['reader']}")
    world.grant(f"/system/users/{user['id']}/roles/{world.roles['reader']}")
    identity = by_password(user["id"], "secret")
    unscoped = log_in(world.admin, identity, "unscoped").body["token"]
    assert "roles" not in unscoped
    assert "catalog" not in unscoped
    domain = log_in(world.admin, identity, {"domain": {"name": "Default"}}).body["token"]
    assert domain["domain"] == {"id": "default", "name": "Default"}
    system = log_in(world.admin, identity, {"system": {"all": True}}).body["token"]
    assert system["system"] == {"all": True}
    assert [role["name"] for role in system["roles"]] == ["reader"]


def test_the_default_project_is_taken_when_no_scope_is_asked_for(world: World) -> None:
    user, project = world.member()
    world.admin.patch(f"/users/{user['id']}", {"user": {"default_project_id": project["id"]}})
    token = log_in(world.admin, by_password(user["id"], "secret")).body["token"]
    assert token["project"]["id"] == project["id"]
    explicit = log_in(world.admin, by_password(user["id"], "secret"), "unscoped").body["token"]
    assert "project" not in explicit


def test_unknown_user_and_wrong_password_look_the_same(world: World) -> None:
    user = world.user()
    wrong = log_in(world.admin, by_password(user["id"], "no"))
    unknown = log_in(world.admin, by_password("f" * 32, "no"))
    assert (wrong.status, unknown.status) == (401, 401)
    assert wrong.body == unknown.body
    assert wrong.body["error"]["title"] == "Unauthorized"
    assert "Keystone uri=" in wrong.headers["WWW-Authenticate".lower()]


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"auth": {}}, {"auth": {"identity": {}}}, {"auth": {"identity": {"methods": []}}},
        {"auth": {"identity": {"methods": ["password"]}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "x", "password": "y"}}}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": 7}}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": "x"}}, "scope": {"project": {}, "system": {}}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": "x"}}, "scope": {"system": {"all": False}}}},
    ],
)  # fmt: skip
def test_a_malformed_request_is_400(admin: Client, body: object) -> None:
    assert admin.anonymous().post("/auth/tokens", body).status == 400


def test_an_unsupported_method_is_401(admin: Client) -> None:
    assert log_in(admin, {"methods": ["telepathy"]}).status == 401


def test_a_scope_without_a_role_is_401(world: World) -> None:
    user, project = world.user(), world.project()
    assert log_in(world.admin, by_password(user["id"], "secret"), scope(project)).status == 401
    assert log_in(world.admin, by_password(user["id"], "secret"), scope({"id": "0" * 32})).status == 401


def test_a_token_can_be_made_from_a_token_and_ends_with_it(world: World) -> None:
    user, project = world.member()
    first = log_in(world.admin, by_password(user["id"], "secret"), "unscoped")
    second = log_in(world.admin, {"methods": ["token"], "token": {"id": token_of(first)}}, scope(project))
    token = second.body["token"]
    assert token["expires_at"] == first.body["token"]["expires_at"]
    assert set(token["methods"]) == {"token", "password"}
    assert token["audit_ids"][1] == first.body["token"]["audit_ids"][0]


def test_a_bad_token_cannot_be_exchanged(admin: Client) -> None:
    assert log_in(admin, {"methods": ["token"], "token": {"id": "gAAAAA"}}).status == 404


def test_validation_shows_what_login_showed(world: World) -> None:
    user, project = world.member()
    reply = log_in(world.admin, by_password(user["id"], "secret"), scope(project))
    shown = validate(world.admin, token_of(reply))
    assert shown.status == 200
    assert shown.body == reply.body
    assert "catalog" not in validate(world.admin, token_of(reply), "?nocatalog").body["token"]
    assert world.admin.request("HEAD", "/auth/tokens", headers={"X-Subject-Token": token_of(reply)}).status == 200


def test_one_may_validate_ones_own_token_and_nobody_elses(world: World) -> None:
    user, project = world.member()
    other, elsewhere = world.member("bob")
    mine, theirs = world.project_token(user, project), world.project_token(other, elsewhere)
    me = with_token(world.admin, mine)
    assert validate(me, mine).status == 200
    assert validate(me, theirs).status == 403
    assert validate(world.admin, "nonsense").status == 404


def test_a_revoked_token_is_worth_nothing_at_once(world: World) -> None:
    user, project = world.member()
    token, other = world.project_token(user, project), world.project_token(user, project)
    me = with_token(world.admin, token)
    assert me.get("/auth/projects").status == 200
    assert me.delete("/auth/tokens", headers={"X-Subject-Token": token}).status == 204
    assert me.get("/auth/projects").status == 401
    assert with_token(world.admin, other).get("/auth/projects").status == 200


@pytest.mark.parametrize("what", ["user", "project", "domain", "password", "grant", "tokens", "gone"])
def test_losing_rights_counts_on_the_next_request(world: World, what: str) -> None:
    domain = world.domain()
    user = world.user(domain_id=domain["id"])
    project = world.project(domain_id=domain["id"])
    path = f"/projects/{project['id']}/users/{user['id']}/roles/{world.roles['member']}"
    world.grant(path)
    me = with_token(world.admin, world.project_token(user, project))
    assert me.get("/auth/catalog").status == 200
    match what:
        case "user":
            world.admin.patch(f"/users/{user['id']}", {"user": {"enabled": False}})
        case "project":
            world.admin.patch(f"/projects/{project['id']}", {"project": {"enabled": False}})
        case "domain":
            world.admin.patch(f"/domains/{domain['id']}", {"domain": {"enabled": False}})
        case "password":
            world.admin.patch(f"/users/{user['id']}", {"user": {"password": "other"}})
        case "grant":
            world.admin.delete(path)
        case "tokens":
            world.admin.delete(f"/users/{user['id']}/tokens")
        case "gone":
            world.admin.delete(f"/users/{user['id']}")
    assert me.get("/auth/catalog").status == 401


def test_enabling_again_does_not_wake_old_tokens(world: World) -> None:
    user, project = world.member()
    me = with_token(world.admin, world.project_token(user, project))
    world.admin.patch(f"/users/{user['id']}", {"user": {"enabled": False}})
    world.admin.patch(f"/users/{user['id']}", {"user": {"enabled": True}})
    assert me.get("/auth/catalog").status == 401
    assert world.project_token(user, project)


def test_a_role_given_counts_for_tokens_that_are_out(world: World) -> None:
    user, project = world.member(role="reader")
    token = world.project_token(user, project)
    world.grant(f"/projects/{project['id']}/users/{user['id']}/roles/{world.roles['manager']}")
    names = [role["name"] for role in validate(world.admin, token).body["token"]["roles"]]
    assert names == ["manager", "member", "reader"]


def test_what_ones_token_opens(world: World) -> None:
    user, project = world.member()
    me = with_token(world.admin, world.token(user, "unscoped"))
    assert [p["id"] for p in me.get("/auth/projects").body["projects"]] == [project["id"]]
    assert me.get("/auth/domains").body["domains"] == []
    assert me.get("/auth/system").body["system"] == []
    assert me.get("/auth/catalog").status == 403


def test_tokens_survive_a_rotation_of_keys(world: World, cloud: Client) -> None:
    from pilvi.identity import facade

    token = world.project_token(*world.member())
    for _ in range(5):
        facade.rotate_keys(cloud.database)
        assert validate(world.admin, token).status == 200


def test_an_endpoint_url_names_the_project(world: World) -> None:
    service = world.make("/services", "service", type="volumev3", name="cinder")
    url = "http://127.0.0.1/volume/v3/$(project_id)s"
    world.make("/endpoints", "endpoint", service_id=service["id"], interface="public", url=url)
    user, project = world.member()
    token = log_in(world.admin, by_password(user["id"], "secret"), scope(project)).body["token"]
    found = next(s for s in token["catalog"] if s["type"] == "volumev3")
    assert found["endpoints"][0]["url"].endswith(project["id"])
    bad = {"endpoint": {"service_id": service["id"], "interface": "public", "url": "http://x/$(secret)s"}}
    assert world.admin.post("/endpoints", bad).status == 400
