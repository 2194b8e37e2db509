"""/v2/metadefs: namespaces and what stands in them."""

from typing import Any

import pytest

from tests.contract.client import Client

PROPERTY = {"title": "Cores", "type": "integer", "minimum": 1}
WHOLE = {
    "namespace": "whole", "display_name": "Whole", "visibility": "public",
    "resource_type_associations": [{"name": "OS::Glance::Image", "prefix": "hw_"}],
    "properties": {"cores": PROPERTY}, "tags": [{"name": "t"}],
    "objects": [{"name": "o", "required": ["p"], "properties": {"p": PROPERTY}}],
}  # fmt: skip


@pytest.fixture
def defs(images: Client) -> Client:
    """The administrator, below /v2/metadefs."""
    return images.as_admin().at("/image/v2/metadefs")


@pytest.fixture
def namespace(defs: Client) -> str:
    assert defs.post("/namespaces", {"namespace": "ns", "visibility": "public"}).status == 201
    return "/namespaces/ns"


def test_a_namespace_comes_back_as_it_was_given(defs: Client) -> None:
    made = defs.post("/namespaces", WHOLE)
    assert made.status == 201
    assert made.headers["location"].endswith("/image/v2/metadefs/namespaces/whole")
    shown = defs.get("/namespaces/whole").body
    assert shown == made.body
    assert (shown["namespace"], shown["visibility"], shown["protected"]) == ("whole", "public", False)
    assert (shown["self"], shown["schema"]) == ("/v2/metadefs/namespaces/whole", "/v2/schemas/metadefs/namespace")
    assert shown["properties"] == {"cores": {"name": "cores", **PROPERTY}}
    assert [o["name"] for o in shown["objects"]] == ["o"]
    assert [t["name"] for t in shown["tags"]] == ["t"]
    assert shown["resource_type_associations"][0]["prefix"] == "hw_"
    with_prefix = defs.get("/namespaces/whole?resource_type=OS::Glance::Image").body
    assert list(with_prefix["properties"]) == ["hw_cores"]
    assert defs.get("/namespaces/whole/properties/hw_cores?resource_type=OS::Glance::Image").body["name"] == "hw_cores"


def test_a_namespace_is_named_once_renamed_and_deleted_with_everything(defs: Client) -> None:
    defs.post("/namespaces", WHOLE)
    assert defs.post("/namespaces", WHOLE).status == 409
    renamed = defs.put("/namespaces/whole", {"namespace": "new", "protected": True})
    assert (renamed.status, renamed.body["visibility"]) == (200, "private")
    assert defs.get("/namespaces/whole").status == 404
    assert defs.get("/namespaces/new/objects/o").status == 200
    assert defs.delete("/namespaces/new").status == 403
    assert defs.put("/namespaces/new", {"namespace": "new", "protected": False}).status == 200
    assert defs.delete("/namespaces/new").status == 204
    assert defs.post("/namespaces", {"namespace": "new"}).status == 201
    assert defs.get("/namespaces/new/objects").body["objects"] == []


@pytest.mark.parametrize(
    "body",
    [{}, [], {"namespace": ""}, {"namespace": "x" * 81}, {"namespace": "a/b"}, {"namespace": "x", "more": 1},
     {"namespace": "x", "visibility": "shared"}, {"namespace": "x", "protected": "yes"}, {"namespace": 5},
     {"namespace": "x", "properties": {"p": {"type": "integer"}}}],
)  # fmt: skip
def test_what_a_namespace_may_not_say(defs: Client, body: Any) -> None:
    assert defs.post("/namespaces", body).status == 400


def test_lists_of_namespaces_are_filtered_and_paged(defs: Client) -> None:
    for name in "abcde":
        defs.post("/namespaces", {"namespace": name, "visibility": "public" if name < "c" else "private"})
    defs.post("/namespaces/a/resource_types", {"name": "OS::Nova::Flavor"})
    ordered = "/namespaces?sort_key=namespace&sort_dir=asc"

    def names(path: str) -> str:
        return "".join(n["namespace"] for n in defs.get(path).body["namespaces"])

    assert names(ordered) == "abcde"
    assert names(f"{ordered}&visibility=public") == "ab"
    assert names("/namespaces?resource_types=OS::Nova::Flavor,OS::Nova::Server") == "a"
    page = defs.get(f"{ordered}&limit=2").body
    assert page["next"].startswith("/v2/metadefs/namespaces?")
    assert names(page["next"].removeprefix("/v2/metadefs")) == "cd"
    for bad in ("visibility=x", "sort_key=x", "sort_dir=x", "limit=x"):
        assert defs.get(f"/namespaces?{bad}").status == 400
    assert defs.get("/namespaces?marker=nothing").status == 404


def test_objects(defs: Client, namespace: str) -> None:
    made = defs.post(f"{namespace}/objects", {"name": "o", "description": "d"})
    assert made.status == 201
    assert (made.body["required"], made.body["properties"]) == ([], {})
    assert defs.post(f"{namespace}/objects", {"name": "o"}).status == 409
    assert defs.post(f"{namespace}/objects", {"name": 5}).status == 400
    assert defs.put(f"{namespace}/objects/o", {"name": "p"}).body["name"] == "p"
    assert defs.get(f"{namespace}/objects/o").status == 404
    assert [o["name"] for o in defs.get(f"{namespace}/objects").body["objects"]] == ["p"]
    assert defs.delete(f"{namespace}/objects/p").status == 204
    assert defs.delete(f"{namespace}/objects/p").status == 404
    defs.post(f"{namespace}/objects", {"name": "o"})
    assert defs.delete(f"{namespace}/objects").status == 204
    assert defs.get(f"{namespace}/objects").body["objects"] == []


def test_properties(defs: Client, namespace: str) -> None:
    made = defs.post(f"{namespace}/properties", {"name": "p", **PROPERTY})
    assert (made.status, made.body) == (201, {"name": "p", **PROPERTY})
    assert defs.post(f"{namespace}/properties", {"name": "p", **PROPERTY}).status == 409
    for bad in ({"name": "q"}, {"name": "q", "type": "odd", "title": "x"}, {"name": "q", **PROPERTY, "more": 1}):
        assert defs.post(f"{namespace}/properties", bad).status == 400
    assert defs.put(f"{namespace}/properties/p", {"name": "q", **PROPERTY, "title": "New"}).body["title"] == "New"
    assert list(defs.get(f"{namespace}/properties").body["properties"]) == ["q"]
    assert defs.delete(f"{namespace}/properties/q").status == 204
    assert defs.get(f"{namespace}/properties/q").status == 404
    assert defs.delete(f"{namespace}/properties").status == 204


def test_tags(defs: Client, namespace: str) -> None:
    def names() -> str:
        return "".join(t["name"] for t in defs.get(f"{namespace}/tags").body["tags"])

    assert defs.post(f"{namespace}/tags", {"tags": [{"name": "a"}, {"name": "b"}]}).status == 201
    assert defs.post(f"{namespace}/tags", {"tags": [{"name": "c"}]}).status == 201
    assert names() == "c"
    assert (
        defs.post(f"{namespace}/tags", {"tags": [{"name": "d"}]}, headers={"X-Openstack-Append": "True"}).status == 201
    )
    assert names() == "cd"
    assert defs.post(f"{namespace}/tags/e").status == 201
    assert defs.post(f"{namespace}/tags/e").status == 409
    assert defs.put(f"{namespace}/tags/e", {"name": "f"}).body["name"] == "f"
    assert defs.get(f"{namespace}/tags/f").body["name"] == "f"
    assert defs.delete(f"{namespace}/tags/f").status == 204
    assert defs.delete(f"{namespace}/tags/f").status == 404
    assert defs.delete(f"{namespace}/tags").status == 204
    assert names() == ""


def test_resource_types(defs: Client, namespace: str) -> None:
    assert "OS::Glance::Image" in [t["name"] for t in defs.get("/resource_types").body["resource_types"]]
    path = f"{namespace}/resource_types"
    made = defs.post(path, {"name": "OS::My::Type", "prefix": "my_"})
    assert (made.status, made.body["name"], made.body["prefix"]) == (201, "OS::My::Type", "my_")
    assert defs.post(path, {"name": "OS::My::Type"}).status == 409
    assert defs.post(path, {}).status == 400
    assert "OS::My::Type" in [t["name"] for t in defs.get("/resource_types").body["resource_types"]]
    assert [t["name"] for t in defs.get(path).body["resource_type_associations"]] == ["OS::My::Type"]
    assert defs.delete(f"{path}/OS::My::Type").status == 204
    assert defs.delete(f"{path}/OS::My::Type").status == 404


def test_members_read_public_namespaces_and_change_nothing(defs: Client, namespace: str) -> None:
    defs.post("/namespaces", {"namespace": "hidden"})
    member = defs.as_member()
    assert member.get(namespace).status == 200
    assert member.get("/namespaces/hidden").status == 404
    assert [n["namespace"] for n in member.get("/namespaces").body["namespaces"]] == ["ns"]
    for path, body in (("objects", {"name": "o"}), ("properties", {"name": "p", **PROPERTY}), ("tags/t", None)):
        assert member.post(f"{namespace}/{path}", body).status == 403
    assert member.post("/namespaces", {"namespace": "mine"}).status == 403
    assert member.delete(namespace).status == 403
    assert member.delete("/namespaces/hidden").status == 404


def test_their_schemas_are_served(images: Client) -> None:
    expected = {
        "namespace": "namespace", "namespaces": "namespaces", "object": "object", "objects": "objects",
        "property": "property", "properties": "properties", "tag": "tag", "tags": "tags",
        "resource_type": "resource_type_association", "resource_types": "resource_type_associations",
    }  # fmt: skip
    for path, name in expected.items():
        assert images.get(f"/schemas/metadefs/{path}").body["name"] == name
