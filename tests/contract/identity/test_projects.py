"""Projects, domains, trees and tags."""

import pytest

from tests.contract.client import Client
from tests.contract.identity.conftest import World, with_token


def test_a_project_is_shown_as_it_was_made_with_extra_attributes(world: World) -> None:
    made = world.project("p", description="d", color="red", tags=["a"])
    shown = world.admin.get(f"/projects/{made['id']}").body["project"]
    assert shown == made
    assert shown["color"] == "red"
    assert shown["parent_id"] == shown["domain_id"] == "default"
    assert shown["links"]["self"].endswith(f"/identity/v3/projects/{made['id']}")
    assert len(made["id"]) == 32


def test_names_are_unique_within_a_domain(world: World) -> None:
    world.project("p")
    reply = world.admin.post("/projects", {"project": {"name": "p", "domain_id": "default"}})
    assert (reply.status, reply.body["error"]["title"]) == (409, "Conflict")
    assert world.project("p", domain_id=world.domain()["id"])


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": " "}, {"name": "x" * 65}, {"name": 7}, {"enabled": "yes"}, {"tags": ["a,b"]}]
)
def test_bad_input_is_400(world: World, change: dict[str, object]) -> None:
    body = {"project": {"name": "p", "domain_id": "default", **change}}
    assert world.admin.post("/projects", body).status == 400


def test_a_tree_is_five_levels_deep(world: World) -> None:
    parent = "default"
    ids = []
    for level in range(5):
        parent = world.project(f"level{level}", parent_id=parent)["id"]
        ids.append(parent)
    assert world.admin.post("/projects", {"project": {"name": "deep", "parent_id": parent}}).status == 403
    below = world.admin.get(f"/projects/{ids[0]}?subtree_as_ids").body["project"]["subtree"]
    assert below == {ids[1]: {ids[2]: {ids[3]: {ids[4]: None}}}}
    above = world.admin.get(f"/projects/{ids[2]}?parents_as_ids").body["project"]["parents"]
    assert above == {ids[1]: {ids[0]: {"default": None}}}
    assert world.admin.delete(f"/projects/{ids[3]}").status == 403
    assert world.admin.patch(f"/projects/{ids[3]}", {"project": {"enabled": False}}).status == 403
    assert world.admin.get(f"/projects/{ids[0]}?subtree_as_ids&subtree_as_list").status == 400


def test_an_immutable_project_is_changed_only_into_a_mutable_one(world: World) -> None:
    project = world.project(options={"immutable": True})
    path = f"/projects/{project['id']}"
    assert world.admin.patch(path, {"project": {"name": "other"}}).status == 403
    assert world.admin.delete(path).status == 403
    assert world.admin.patch(path, {"project": {"options": {"immutable": False}}}).status == 200
    assert world.admin.delete(path).status == 204


def test_tags_are_put_listed_filtered_and_removed(world: World) -> None:
    project = world.project()
    path = f"/projects/{project['id']}/tags"
    assert world.admin.put(f"{path}/red").status == 201
    assert world.admin.put(path, {"tags": ["red", "big"]}).body["tags"] == ["red", "big"]
    assert world.admin.get(f"{path}/red").status == 204
    assert world.admin.get(f"{path}/blue").status == 404
    assert [p["id"] for p in world.admin.get("/projects?tags=red,big").body["projects"]] == [project["id"]]
    assert [p["id"] for p in world.admin.get("/projects?tags-any=red,blue").body["projects"]] == [project["id"]]
    assert project["id"] not in [p["id"] for p in world.admin.get("/projects?not-tags=red").body["projects"]]
    assert world.admin.delete(f"{path}/red").status == 204
    assert world.admin.delete(path).status == 204
    assert world.admin.get(path).body["tags"] == []


def test_lists_filter_page_and_link(world: World) -> None:
    for name in ("alpha", "alphabet", "beta"):
        world.project(name)
    names = [p["name"] for p in world.admin.get("/projects?name__startswith=alpha").body["projects"]]
    assert sorted(names) == ["alpha", "alphabet"]
    assert [p["name"] for p in world.admin.get("/projects?name__icontains=PHAB").body["projects"]] == ["alphabet"]
    assert world.admin.get("/projects?enabled=false").body["projects"] == []
    seen: list[str] = []
    url = "/projects?limit=2"
    while url:
        body = world.admin.get(url).body
        seen += [p["id"] for p in body["projects"]]
        assert len(body["projects"]) <= 2
        following = body["links"]["next"]
        url = following.partition("/identity/v3")[2] if following else ""
    everyone = [p["id"] for p in world.admin.get("/projects").body["projects"]]
    assert sorted(seen) == sorted(everyone)


def test_a_domain_goes_only_when_disabled_and_takes_everything_along(world: World) -> None:
    domain = world.domain()
    user = world.user(domain_id=domain["id"])
    project = world.project(domain_id=domain["id"])
    child = world.project("child", parent_id=project["id"], domain_id=domain["id"])
    group = world.group(domain_id=domain["id"])
    role = world.role(domain_id=domain["id"])
    path = f"/domains/{domain['id']}"
    assert world.admin.delete(path).status == 403
    assert world.admin.patch(path, {"domain": {"enabled": False}}).status == 200
    assert world.admin.delete(path).status == 204
    gone = (path, f"/users/{user['id']}", f"/projects/{project['id']}", f"/projects/{child['id']}",
            f"/groups/{group['id']}", f"/roles/{role['id']}")  # fmt: skip
    assert [world.admin.get(each).status for each in gone] == [404] * 6


def test_the_default_domain_stays(admin: Client) -> None:
    assert admin.delete("/domains/default").status == 403


def test_a_domain_is_a_project_too(world: World) -> None:
    made = world.make("/projects", "project", name="as-domain", is_domain=True)
    assert (made["domain_id"], made["parent_id"], made["is_domain"]) == (None, None, True)
    assert world.admin.get(f"/domains/{made['id']}").body["domain"]["name"] == "as-domain"
    listed = [p["id"] for p in world.admin.get("/projects?is_domain=true").body["projects"]]
    assert made["id"] in listed
    assert made["id"] not in [p["id"] for p in world.admin.get("/projects").body["projects"]]


def test_a_member_sees_the_own_project_and_no_other(world: World) -> None:
    user, project = world.member()
    other = world.project("other-lab")
    me = with_token(world.admin, world.project_token(user, project))
    assert me.get(f"/projects/{project['id']}").status == 200
    assert me.get(f"/projects/{other['id']}").status == 403
    assert me.get(f"/projects/{'0' * 32}").status == 403
    assert me.get("/projects").status == 403
    assert me.post("/projects", {"project": {"name": "mine"}}).status == 403


def test_a_manager_of_a_domain_manages_that_domain_only(world: World) -> None:
    domain = world.domain()
    boss = world.user("boss", domain_id=domain["id"])
    world.grant(f"/domains/{domain['id']}/users/{boss['id']}/roles/{world.roles['manager']}")
    me = with_token(world.admin, world.token(boss, {"domain": {"id": domain["id"]}}))
    made = me.post("/projects", {"project": {"name": "ours"}})
    assert (made.status, made.body["project"]["domain_id"]) == (201, domain["id"])
    hired = me.post("/users", {"user": {"name": "hired"}}).body["user"]
    grant = f"/projects/{made.body['project']['id']}/users/{hired['id']}/roles/"
    assert me.put(grant + world.roles["member"]).status == 204
    assert me.put(grant + world.roles["admin"]).status == 403
    assert me.post("/projects", {"project": {"name": "theirs", "domain_id": "default"}}).status == 403
    assert me.post("/users", {"user": {"name": "theirs", "domain_id": "default"}}).status == 403
    assert {p["domain_id"] for p in me.get("/projects").body["projects"]} == {domain["id"]}
    assert {u["domain_id"] for u in me.get("/users").body["users"]} == {domain["id"]}
