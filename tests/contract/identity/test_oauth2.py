"""Programs that speak OAuth 2.0: an application credential is their client, the token is one like all others."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from pilvi.kernel import clock
from tests.contract.client import Client, Reply
from tests.contract.identity.conftest import World, validate, with_token
from tests.contract.identity.test_application_credentials import DAY, make, me_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GRANT = {"grant_type": "client_credentials"}


def basic(id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{id}:{secret}".encode()).decode()}


def ask(client: Client, who: Mapping[str, str], form: Mapping[str, str] | bytes = GRANT) -> Reply:
    raw = form if isinstance(form, bytes) else urlencode(form).encode()
    return client.anonymous().post("/OS-OAUTH2/token", raw=raw, headers={**FORM, **who})


@pytest.fixture
def robot(world: World) -> dict[str, Any]:
    user, project = world.member()
    made = make(me_of(world, user, project), user, roles=[{"name": "reader"}], expires_at=DAY)
    return {**made, "user": user, "project": project}


def test_a_credential_becomes_a_token_with_its_rights(world: World, robot: dict[str, Any]) -> None:
    reply = ask(world.admin, basic(robot["id"], robot["secret"]))
    assert reply.status == 200, reply.content
    assert (reply.headers["cache-control"], reply.headers["pragma"]) == ("no-store", "no-cache")
    assert (reply.body["token_type"], set(reply.body)) == ("Bearer", {"access_token", "token_type", "expires_in"})
    token = validate(world.admin, reply.body["access_token"]).body["token"]
    assert token["project"]["id"] == robot["project"]["id"]
    assert [role["name"] for role in token["roles"]] == ["reader"]
    assert token["application_credential"]["id"] == robot["id"]
    assert abs(clock.parse(token["expires_at"]) - clock.now() - reply.body["expires_in"]) < 60


def test_the_token_is_taken_as_a_bearer_token_too(world: World, robot: dict[str, Any]) -> None:
    token = ask(world.admin, basic(robot["id"], robot["secret"])).body["access_token"]
    for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"bearer  {token}"}):
        assert world.admin.anonymous().get("/auth/projects", headers=headers).status == 200
    other = with_token(world.admin, token)
    assert other.get("/users", headers={"Authorization": f"Bearer {world.admin.token}"}).status == 403
    for word in (f"Basic {token}", f"Bearer {token}x", "Bearer", "Bearer ", token):
        assert world.admin.anonymous().get("/auth/projects", headers={"Authorization": word}).status == 401


def test_a_credential_that_is_gone_ends_its_tokens_and_opens_no_more(world: World, robot: dict[str, Any]) -> None:
    token = ask(world.admin, basic(robot["id"], robot["secret"])).body["access_token"]
    owner = me_of(world, robot["user"], robot["project"])
    assert owner.delete(f"/users/{robot['user']['id']}/application_credentials/{robot['id']}").status == 204
    assert world.admin.anonymous().get("/auth/projects", headers={"Authorization": f"Bearer {token}"}).status == 401
    assert ask(world.admin, basic(robot["id"], robot["secret"])).status == 401


def test_a_disabled_user_gets_none(world: World, robot: dict[str, Any]) -> None:
    world.admin.patch(f"/users/{robot['user']['id']}", {"user": {"enabled": False}})
    assert ask(world.admin, basic(robot["id"], robot["secret"])).status == 401


def test_strangers_are_all_answered_alike(world: World, robot: dict[str, Any]) -> None:
    unknown = ask(world.admin, basic("0" * 32, robot["secret"]))
    wrong = ask(world.admin, basic(robot["id"], "wrong"))
    assert unknown.status == wrong.status == 401
    assert unknown.body == wrong.body
    assert wrong.body["error"] == "invalid_client"
    assert wrong.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + b64encode(b"no colon").decode()},
        {"Authorization": "Basic " + b64encode(b"\xff:x").decode()},
        {"Authorization": "Basic " + b64encode(b"a\x00b:x").decode()},
        {"Authorization": "Bearer x"},
    ],
)
def test_who_does_not_say_who_it_is_is_a_stranger(world: World, header: dict[str, str]) -> None:
    reply = ask(world.admin, header)
    assert (reply.status, reply.body["error"]) == (401, "invalid_client")
    assert reply.body["error_description"]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant": "x"}, 400, "invalid_request"),
        (b"grant_type", 400, "invalid_request"),
        (b"\xff=x", 400, "invalid_request"),
        (b"&".join([b"a=b"] * 60), 400, "invalid_request"),
        (b"grant_type=client_credentials&grant_type=password", 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({**GRANT, "scope": "admin"}, 400, "invalid_scope"),
        ({**GRANT, "client_id": "another"}, 401, "invalid_client"),
    ],
)
def test_what_is_wrong_is_said_as_the_rfc_says_it(
    world: World, robot: dict[str, Any], form: Any, status: int, error: str
) -> None:
    reply = ask(world.admin, basic(robot["id"], robot["secret"]), form)
    assert (reply.status, reply.body["error"]) == (status, error)
    assert reply.body["error_description"]


def test_json_is_no_form(world: World, robot: dict[str, Any]) -> None:
    who = basic(robot["id"], robot["secret"])
    assert world.admin.anonymous().post("/OS-OAUTH2/token", GRANT, headers=who).status == 415


def test_a_form_is_no_json_elsewhere(world: World) -> None:
    assert world.admin.post("/users", raw=b"name=x", headers=FORM).status == 415
