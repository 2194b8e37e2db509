"""Roles, implications, and grants in all their forms."""

import pytest

from tests.contract.identity.conftest import World, by_password, log_in, validate, with_token


def roles_in(world: World, token: str) -> list[str]:
    return [role["name"] for role in validate(world.admin, token).body["token"]["roles"]]


@pytest.mark.parametrize("actor", ["user", "group"])
@pytest.mark.parametrize("target", ["projects", "domains", "system"])
def test_a_grant_is_given_checked_listed_and_taken(world: World, actor: str, target: str) -> None:
    who = world.user() if actor == "user" else world.group()
    where = {"projects": f"/projects/{world.project()['id']}", "domains": "/domains/default", "system": "/system"}[
        target
    ]
    many = f"{where}/{actor}s/{who['id']}/roles"
    one = f"{many}/{world.roles['reader']}"
    assert world.admin.request("HEAD", one).status == 404
    assert world.admin.put(one).status == 204
    assert world.admin.put(one).status == 204
    assert world.admin.request("HEAD", one).status == 204
    assert [r["name"] for r in world.admin.get(many).body["roles"]] == ["reader"]
    assert world.admin.delete(one).status == 204
    assert world.admin.delete(one).status == 404
    assert world.admin.put(f"{many}/{'0' * 32}").status == 404
    assert world.admin.put(one.replace(who["id"], "0" * 32)).status == 404


def test_roles_come_through_groups(world: World) -> None:
    user, group, project = world.user(), world.group(), world.project()
    world.grant(f"/groups/{group['id']}/users/{user['id']}")
    world.grant(f"/projects/{project['id']}/groups/{group['id']}/roles/{world.roles['member']}")
    token = world.project_token(user, project)
    assert roles_in(world, token) == ["member", "reader"]
    world.admin.delete(f"/groups/{group['id']}/users/{user['id']}")
    assert validate(world.admin, token).status == 404


def test_inherited_roles_count_below_and_not_on_the_target(world: World) -> None:
    user, parent = world.user(), world.project("parent")
    child = world.project("child", parent_id=parent["id"])
    path = f"/OS-INHERIT/projects/{parent['id']}/users/{user['id']}/roles/{world.roles['reader']}/inherited_to_projects"
    world.grant(path)
    assert world.admin.request("HEAD", path).status == 204
    assert roles_in(world, world.project_token(user, child)) == ["reader"]
    scope = {"project": {"id": parent["id"]}}
    assert log_in(world.admin, by_password(user["id"], "secret"), scope).status == 401
    world.admin.delete(path)
    world.grant(f"/OS-INHERIT/domains/default/users/{user['id']}/roles/{world.roles['member']}/inherited_to_projects")
    assert roles_in(world, world.project_token(user, parent)) == ["member", "reader"]
    assert roles_in(world, world.project_token(user, child)) == ["member", "reader"]


def test_implied_roles_count_and_are_listed(world: World) -> None:
    painter, artist = world.role("painter"), world.role("artist")
    path = f"/roles/{artist['id']}/implies/{painter['id']}"
    assert world.admin.put(path).status == 201
    assert world.admin.request("HEAD", path).status == 204
    assert world.admin.get(path).body["role_inference"]["implies"]["name"] == "painter"
    implied = world.admin.get(f"/roles/{artist['id']}/implies").body["role_inference"]["implies"]
    assert [r["name"] for r in implied] == ["painter"]
    rules = world.admin.get("/role_inferences").body["role_inferences"]
    chain = {r["prior_role"]["name"]: [i["name"] for i in r["implies"]] for r in rules}
    assert chain == {"admin": ["manager"], "manager": ["member"], "member": ["reader"], "artist": ["painter"]}
    user, project = world.user(), world.project()
    world.grant(f"/projects/{project['id']}/users/{user['id']}/roles/{artist['id']}")
    token = world.project_token(user, project)
    assert roles_in(world, token) == ["artist", "painter"]
    assert world.admin.delete(path).status == 204
    assert roles_in(world, token) == ["artist"]
    assert world.admin.put(f"/roles/{artist['id']}/implies/{world.roles['admin']}").status == 403


def test_a_domains_role_is_never_in_a_token_but_what_it_implies_is(world: World) -> None:
    role = world.role("local", domain_id="default")
    world.admin.put(f"/roles/{role['id']}/implies/{world.roles['reader']}")
    user, project = world.user(), world.project()
    world.grant(f"/projects/{project['id']}/users/{user['id']}/roles/{role['id']}")
    assert roles_in(world, world.project_token(user, project)) == ["reader"]
    assert role["id"] not in [r["id"] for r in world.admin.get("/roles").body["roles"]]
    assert [r["id"] for r in world.admin.get("/roles?domain_id=default").body["roles"]] == [role["id"]]
    elsewhere = world.project("elsewhere", domain_id=world.domain()["id"])
    assert world.admin.put(f"/projects/{elsewhere['id']}/users/{user['id']}/roles/{role['id']}").status == 403


def test_the_standard_roles_cannot_be_changed_or_deleted(world: World) -> None:
    path = f"/roles/{world.roles['member']}"
    assert world.admin.patch(path, {"role": {"name": "x"}}).status == 403
    assert world.admin.delete(path).status == 403


def test_a_deleted_role_is_gone_from_everybody(world: World) -> None:
    role, user, project = world.role(), world.user(), world.project()
    world.grant(f"/projects/{project['id']}/users/{user['id']}/roles/{role['id']}")
    me = with_token(world.admin, world.project_token(user, project))
    assert world.admin.delete(f"/roles/{role['id']}").status == 204
    assert me.get("/auth/catalog").status == 401
    assert world.admin.get(f"/role_assignments?user.id={user['id']}").body["role_assignments"] == []


def test_assignments_are_listed_as_given_and_as_effective(world: World) -> None:
    user, group, parent = world.user(), world.group(), world.project("parent")
    child = world.project("child", parent_id=parent["id"])
    member = world.roles["member"]
    world.grant(f"/groups/{group['id']}/users/{user['id']}")
    world.grant(f"/projects/{parent['id']}/groups/{group['id']}/roles/{member}")
    world.grant(f"/OS-INHERIT/projects/{parent['id']}/users/{user['id']}/roles/{member}/inherited_to_projects")

    def listed(query: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = world.admin.get(f"/role_assignments?{query}").body["role_assignments"]
        return found

    (given,) = listed(f"group.id={group['id']}")
    assert given["scope"] == {"project": {"id": parent["id"]}}
    (inherited,) = listed(f"user.id={user['id']}&scope.OS-INHERIT:inherited_to=projects")
    assert inherited["scope"] == {"project": {"id": parent["id"]}, "OS-INHERIT:inherited_to": "projects"}
    effective = listed(f"effective&user.id={user['id']}")
    places = {(e["scope"]["project"]["id"], e["role"]["id"]) for e in effective}  # type: ignore[index]
    assert places == {(p["id"], world.roles[r]) for p in (parent, child) for r in ("member", "reader")}
    named = listed(f"effective&include_names&user.id={user['id']}&scope.project.id={child['id']}&role.id={member}")
    (only,) = named
    assert only["user"] == {"id": user["id"], "name": "ann", "domain": {"id": "default", "name": "Default"}}
    assert only["role"] == {"id": member, "name": "member"}
    below = listed(f"scope.project.id={parent['id']}&include_subtree")
    assert len(below) == 2
    bad = ("include_subtree", "effective&group.id=x", "user.id=x&group.id=y", "scope.project.id=x&scope.system=all")
    assert [world.admin.get(f"/role_assignments?{query}").status for query in bad] == [400] * 4


def test_the_first_administrator_has_the_system(world: World) -> None:
    found = world.admin.get("/role_assignments?scope.system=all").body["role_assignments"]
    assert [entry["scope"] for entry in found] == [{"system": {"all": True}}]
