"""Unified limits: registered for the cloud, set for projects and domains."""

from collections.abc import Iterator
from typing import Any

import pytest

from pilvi.identity import settings
from tests.contract.identity.conftest import World, with_token


def register(world: World, name: str = "volumes", default: int = 10) -> dict[str, Any]:
    (service,) = world.admin.get("/services?type=image").body["services"]
    body = {"service_id": service["id"], "resource_name": name, "default_limit": default}
    reply = world.admin.post("/registered_limits", {"registered_limits": [body]})
    assert reply.status == 201, reply.content
    made: dict[str, Any] = reply.body["registered_limits"][0]
    return made


def limit(world: World, registered: dict[str, Any], amount: int, **owner: str) -> Any:
    body = {
        "service_id": registered["service_id"], "resource_name": registered["resource_name"],
        "resource_limit": amount, **owner,
    }  # fmt: skip
    return world.admin.post("/limits", {"limits": [body]})


def test_limits_are_registered_once_and_changed(world: World) -> None:
    made = register(world)
    path = f"/registered_limits/{made['id']}"
    assert world.admin.get(path).body["registered_limit"] == made
    again = {k: made[k] for k in ("service_id", "resource_name", "default_limit")}
    assert world.admin.post("/registered_limits", {"registered_limits": [again]}).status == 409
    changed = world.admin.patch(path, {"registered_limit": {"default_limit": 5}})
    assert changed.body["registered_limit"]["default_limit"] == 5
    listed = world.admin.get("/registered_limits?resource_name=volumes").body["registered_limits"]
    assert [r["id"] for r in listed] == [made["id"]]
    bad = {**again, "service_id": "0" * 32}
    assert world.admin.post("/registered_limits", {"registered_limits": [bad]}).status == 400
    assert world.admin.delete(path).status == 204


def test_a_project_has_limits_of_its_own(world: World) -> None:
    registered = register(world)
    user, project = world.member()
    other = world.project("other-lab")
    made = limit(world, registered, 3, project_id=project["id"]).body["limits"][0]
    assert limit(world, registered, 4, project_id=project["id"]).status == 409
    assert limit(world, registered, 4, project_id=project["id"], domain_id="default").status == 400
    assert limit(world, {**registered, "resource_name": "unknown"}, 4, project_id=project["id"]).status == 403
    limit(world, registered, 7, project_id=other["id"])
    me = with_token(world.admin, world.project_token(user, project))
    assert [found["resource_limit"] for found in me.get("/limits").body["limits"]] == [3]
    assert len(world.admin.get("/limits?resource_name=volumes").body["limits"]) == 2
    assert me.get(f"/limits/{made['id']}").status == 200
    assert me.patch(f"/limits/{made['id']}", {"limit": {"resource_limit": 9}}).status == 403
    assert world.admin.delete(f"/registered_limits/{registered['id']}").status == 403
    changed = world.admin.patch(f"/limits/{made['id']}", {"limit": {"resource_limit": 9}})
    assert changed.body["limit"]["resource_limit"] == 9
    world.admin.delete(f"/projects/{project['id']}")
    assert world.admin.get(f"/limits/{made['id']}").status == 404


@pytest.fixture
def two_levels() -> Iterator[None]:
    settings.current.limit_model = "strict_two_level"
    yield
    settings.current.limit_model = "flat"


def test_in_two_levels_a_child_never_has_more_than_its_parent(world: World, two_levels: None) -> None:
    registered = register(world)
    parent = world.project("parent")
    child = world.project("child", parent_id=parent["id"])
    assert limit(world, registered, 11, project_id=child["id"]).status == 403
    assert limit(world, registered, 10, project_id=parent["id"]).status == 201
    made = limit(world, registered, 8, project_id=child["id"]).body["limits"][0]
    (above,) = world.admin.get(f"/limits?project_id={parent['id']}").body["limits"]
    assert world.admin.patch(f"/limits/{above['id']}", {"limit": {"resource_limit": 7}}).status == 403
    assert world.admin.patch(f"/limits/{made['id']}", {"limit": {"resource_limit": -1}}).status == 403
    assert world.admin.get("/limits/model").body["model"]["name"] == "strict_two_level"


def test_a_project_is_shown_with_the_limits_of_its_parents_and_children(world: World) -> None:
    registered = register(world)
    user, parent = world.member()
    child = world.project("child", parent_id=parent["id"])
    world.grant(f"/projects/{child['id']}/users/{user['id']}/roles/{world.roles['member']}")
    limit(world, registered, 3, project_id=child["id"])
    me = with_token(world.admin, world.project_token(user, parent))
    shown = me.get(f"/projects/{parent['id']}?subtree_as_list&include_limits").body["project"]["subtree"]
    assert [(e["project"]["id"], [o["resource_limit"] for o in e["project"]["limits"]]) for e in shown] == [
        (child["id"], [3])
    ]
    plain = me.get(f"/projects/{parent['id']}?subtree_as_list").body["project"]["subtree"]
    assert "limits" not in plain[0]["project"]
    above = with_token(world.admin, world.project_token(user, child))
    parents = above.get(f"/projects/{child['id']}?parents_as_list=1&include_limits=1").body["project"]["parents"]
    assert [(e["project"]["id"], e["project"]["limits"]) for e in parents] == [(parent["id"], [])]


def test_a_registered_limit_outlives_its_service(world: World) -> None:
    service = world.make("/services", "service", type="dns")
    body = {"service_id": service["id"], "resource_name": "zones", "default_limit": 5}
    made = world.admin.post("/registered_limits", {"registered_limits": [body]}).body["registered_limits"][0]
    assert world.admin.delete(f"/services/{service['id']}").status == 204
    assert world.admin.delete(f"/registered_limits/{made['id']}").status == 204
