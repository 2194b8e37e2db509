"""Flavors, their extra specs and who may use private ones."""

from typing import Any

import pytest

from tests.contract.client import Client

NANO = {"name": "nano", "id": "n", "ram": 64, "vcpus": 1, "disk": 1}
PRIVATE: dict[str, Any] = {"os-flavor-access:is_public": False}


def make(cloud: Client, at: str = "2.61", **more: object) -> dict:  # type: ignore[type-arg]
    reply = cloud.as_admin().post("/flavors", {"flavor": NANO | more}, microversion=at)
    assert reply.status == 200, reply.content
    found: dict = reply.body["flavor"]  # type: ignore[type-arg]
    return found


def test_a_flavor_comes_back_as_it_was_made(cloud: Client) -> None:
    made = make(cloud, description="small", swap=512)
    shown = cloud.get("/flavors/n", microversion="2.61").body["flavor"]
    assert shown == made
    shown.pop("links")
    assert shown == {
        "id": "n", "name": "nano", "ram": 64, "vcpus": 1, "disk": 1, "swap": 512, "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False, "os-flavor-access:is_public": True, "rxtx_factor": 1.0,
        "description": "small", "extra_specs": {},
    }  # fmt: skip


def test_no_swap_is_an_empty_text(cloud: Client) -> None:
    assert make(cloud)["swap"] == ""


def test_fields_come_with_their_versions(cloud: Client) -> None:
    make(cloud)
    assert "description" not in cloud.get("/flavors/n", microversion="2.54").body["flavor"]
    assert "extra_specs" not in cloud.get("/flavors/n", microversion="2.60").body["flavor"]
    assert "description" in cloud.get("/flavors", microversion="2.55").body["flavors"][0]


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"ram": 0}, {"vcpus": 0}, {"disk": -1}, {"id": "a/b"}, {"ram": 2**31}, {"unknown": 1}, {"swap": -1},
     {"ram": "many"}],
)  # fmt: skip
def test_nonsense_is_refused(cloud: Client, change: dict) -> None:  # type: ignore[type-arg]
    reply = cloud.as_admin().post("/flavors", {"flavor": NANO | change})
    assert reply.status == 400
    assert reply.body["badRequest"]["code"] == 400


def test_names_and_ids_are_there_once(cloud: Client) -> None:
    make(cloud)
    for change in ({"id": "m"}, {"name": "other"}):
        reply = cloud.as_admin().post("/flavors", {"flavor": NANO | change})
        assert reply.status == 409
        assert "already exists" in reply.body["conflictingRequest"]["message"]


def test_a_description_can_be_changed_from_2_55(cloud: Client) -> None:
    make(cloud)
    admin, body = cloud.as_admin(), {"flavor": {"description": "new"}}
    assert admin.put("/flavors/n", body, microversion="2.55").body["flavor"]["description"] == "new"
    assert admin.put("/flavors/n", body, microversion="2.54").status == 404


def test_lists_sort_page_and_filter(cloud: Client) -> None:
    for number, name in enumerate("cab"):
        make(cloud, id=str(number), name=name, ram=64 * (number + 1), disk=number)
    first = cloud.get("/flavors?limit=2&sort_key=name").body
    assert [f["name"] for f in first["flavors"]] == ["a", "b"]
    following = first["flavors_links"][0]["href"].partition("/compute/v2.1")[2]
    assert [f["name"] for f in cloud.get(following).body["flavors"]] == ["c"]
    assert [f["name"] for f in cloud.get("/flavors?minRam=100&minDisk=2").body["flavors"]] == ["b"]
    for bad in ("minRam=x", "sort_key=x", "sort_dir=x", "marker=x", "limit=-1"):
        assert cloud.get(f"/flavors?{bad}").status == 400, bad


def test_a_private_flavor_is_seen_by_those_who_may_use_it(cloud: Client) -> None:
    make(cloud, **PRIVATE)
    admin, demo = cloud.as_admin(), cloud.facts["demo"]
    assert cloud.get("/flavors/n").status == 404
    granted = admin.post("/flavors/n/action", {"addTenantAccess": {"tenant": demo}})
    assert granted.body == {"flavor_access": [{"flavor_id": "n", "tenant_id": demo}]}
    assert admin.post("/flavors/n/action", {"addTenantAccess": {"tenant": demo}}).status == 409
    assert cloud.get("/flavors/n").status == 200
    assert cloud.as_stranger().get("/flavors/n").status == 404
    assert [f["id"] for f in cloud.get("/flavors").body["flavors"]] == ["n"]
    assert admin.get("/flavors/n/os-flavor-access").body["flavor_access"][0]["tenant_id"] == demo
    assert admin.post("/flavors/n/action", {"removeTenantAccess": {"tenant": demo}}).body == {"flavor_access": []}
    assert admin.post("/flavors/n/action", {"removeTenantAccess": {"tenant": demo}}).status == 404
    assert cloud.get("/flavors/n").status == 404


def test_administrators_choose_which_flavors_they_list(cloud: Client) -> None:
    make(cloud)
    make(cloud, name="hidden", id="h", **PRIVATE)
    admin = cloud.as_admin()

    def ids(query: str) -> list[str]:
        return [f["id"] for f in admin.get(f"/flavors{query}").body["flavors"]]

    assert (ids(""), ids("?is_public=None"), ids("?is_public=false")) == (["n"], ["h", "n"], ["h"])


def test_access_of_a_public_flavor_is_refused(cloud: Client) -> None:
    make(cloud)
    admin = cloud.as_admin()
    assert admin.get("/flavors/n/os-flavor-access").status == 404
    for at, status in (("2.7", 409), ("2.6", 200)):
        body = {"addTenantAccess": {"tenant": cloud.facts["demo"]}}
        assert admin.post("/flavors/n/action", body, microversion=at).status == status


def test_extra_specs_are_set_shown_and_deleted(cloud: Client) -> None:
    make(cloud)
    admin, path = cloud.as_admin(), "/flavors/n/os-extra_specs"
    assert admin.post(path, {"extra_specs": {"hw:x": "1", "y": "2"}}).body == {"extra_specs": {"hw:x": "1", "y": "2"}}
    assert admin.put(f"{path}/y", {"y": "3"}).body == {"y": "3"}
    assert admin.put(f"{path}/y", {"z": "3"}).status == 400
    assert cloud.get(path).body == {"extra_specs": {"hw:x": "1", "y": "3"}}
    assert cloud.get(f"{path}/hw:x").body == {"hw:x": "1"}
    assert admin.delete(f"{path}/y").status == 200
    assert cloud.get(f"{path}/y").status == 404
    assert admin.delete(f"{path}/y").status == 404
    assert cloud.post(path, {"extra_specs": {"a": "b"}}).status == 403


@pytest.mark.parametrize("specs", [{"a/b": "1"}, {"a": None}, {"a": "x" * 256}, {"a": ["x"]}, {"a": True}])
def test_bad_extra_specs_are_refused(cloud: Client, specs: dict) -> None:  # type: ignore[type-arg]
    make(cloud)
    assert cloud.as_admin().post("/flavors/n/os-extra_specs", {"extra_specs": specs}).status == 400


def test_deleting_a_flavor_ends_it(cloud: Client) -> None:
    make(cloud)
    assert cloud.delete("/flavors/n").status == 403
    assert [cloud.as_admin().delete("/flavors/n").status for _ in range(2)] == [202, 404]
