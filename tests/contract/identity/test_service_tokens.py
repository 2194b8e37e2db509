"""A service finishes a user's work: an ended token counts when a service's own comes along."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.contract.client import Client
from tests.contract.identity.conftest import World, by_password, log_in, token_of
from tests.contract.identity.test_login_rules import later as later

Later = Callable[[float], None]
HOUR_S = 3600.0


def robot(world: World, role: str = "service") -> dict[str, Any]:
    """A service's account with a role on a project of its own."""
    user, project = world.user(f"robot-{role}"), world.project(f"robots-{role}")
    world.grant(f"/projects/{project['id']}/users/{user['id']}/roles/{world.roles[role]}")
    return {"identity": by_password(user["id"], "secret"), "scope": {"project": {"id": project["id"]}}}


def with_service(client: Client, token: str, service_token: str) -> Client:
    return replace(client, token=token, headers={"X-Service-Token": service_token}, prefix="/image/v2")


def log_in_again(world: World, robot: dict[str, Any]) -> str:
    return token_of(log_in(world.admin, robot["identity"], robot["scope"]))


def test_an_ended_token_counts_beside_a_service_token(world: World, later: Later) -> None:
    user, project = world.member()
    token, service = world.project_token(user, project), robot(world)
    later(2 * HOUR_S)
    assert replace(world.admin, token=token, prefix="/image/v2").get("/images").status == 401
    both = with_service(world.admin, token, log_in_again(world, service))
    assert both.get("/images").status == 200
    made = both.post("/images", {"name": "finished-late"})
    assert (made.status, made.body["owner"]) == (201, project["id"])
    later(47 * HOUR_S)
    assert with_service(world.admin, token, log_in_again(world, service)).get("/images").status == 401


def test_only_a_living_token_with_the_service_role_helps(world: World, later: Later) -> None:
    user, project = world.member()
    token, service, other = world.project_token(user, project), robot(world), robot(world, "member")
    ended = log_in_again(world, service)
    later(2 * HOUR_S)
    assert with_service(world.admin, token, ended).get("/images").status == 401
    assert with_service(world.admin, token, log_in_again(world, other)).get("/images").status == 401
    assert with_service(world.admin, token, "nonsense").get("/images").status == 401
    fresh = world.project_token(user, project)
    assert with_service(world.admin, fresh, "nonsense").get("/images").status == 401


def test_a_revoked_or_disabled_user_stays_out(world: World, later: Later) -> None:
    user, project = world.member()
    token, service = world.project_token(user, project), robot(world)
    assert world.admin.patch(f"/users/{user['id']}", {"user": {"enabled": False}}).status == 200
    later(2 * HOUR_S)
    assert with_service(world.admin, token, log_in_again(world, service)).get("/images").status == 401


def test_identity_makes_nothing_of_an_ended_token(world: World, later: Later) -> None:
    user, project = world.member()
    token, service = world.project_token(user, project), robot(world)
    later(2 * HOUR_S)
    both = replace(with_service(world.admin, token, log_in_again(world, service)), prefix="/identity/v3")
    assert both.get("/auth/projects").status == 401
    body = {"application_credential": {"name": "forever"}}
    assert both.post(f"/users/{user['id']}/application_credentials", body).status == 401


def test_access_rules_do_not_stop_what_a_service_does_in_between(world: World) -> None:
    user, project = world.member()
    me = replace(world.admin, token=world.project_token(user, project))
    rules = [{"service": "compute", "method": "POST", "path": "/v2.1/servers"}]
    body = {"application_credential": {"name": "boot-only", "access_rules": rules}}
    made = me.post(f"/users/{user['id']}/application_credentials", body).body["application_credential"]
    method = "application_credential"
    proof = {"methods": [method], method: {"id": made["id"], "secret": made["secret"]}}
    narrow = token_of(log_in(world.admin, proof))
    assert replace(world.admin, token=narrow, prefix="/image/v2").get("/images").status == 401
    assert with_service(world.admin, narrow, log_in_again(world, robot(world))).get("/images").status == 200
