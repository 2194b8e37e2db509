"""/v2/images: create, show, change, delete."""

from typing import Any

import pytest

from tests.contract.client import Client
from tests.contract.image.conftest import NEW, OLD, fill, made


def patch(client: Client, id: str, *operations: dict[str, Any], headers: dict[str, str] = NEW) -> Any:
    return client.patch(f"/images/{id}", list(operations), headers=headers)


def test_a_new_image_is_queued_and_shows_its_properties_beside_its_attributes(images: Client) -> None:
    reply = images.post("/images", {"name": "debian", "os_distro": "debian", "tags": ["a", "b", "a"]})
    body = reply.body
    assert reply.status == 201
    assert reply.headers["location"].endswith(f"/image/v2/images/{body['id']}")
    expected = {
        "name": "debian", "status": "queued", "visibility": "shared", "protected": False, "os_hidden": False,
        "min_disk": 0, "min_ram": 0, "size": None, "virtual_size": None, "checksum": None, "os_hash_algo": None,
        "os_hash_value": None, "disk_format": None, "container_format": None, "tags": ["a", "b"],
        "owner": images.facts["demo"], "os_distro": "debian", "schema": "/v2/schemas/image",
        "self": f"/v2/images/{body['id']}", "file": f"/v2/images/{body['id']}/file",
    }  # fmt: skip
    assert {k: body[k] for k in expected} == expected
    assert set(body) == {*expected, "id", "created_at", "updated_at"}
    assert images.get(f"/images/{body['id']}").body == body


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"disk_format": "wrong"}, 400),
        ({"container_format": "wrong"}, 400),
        ({"min_disk": -1}, 400),
        ({"min_ram": "much"}, 400),
        ({"number": 5}, 400),
        ({"id": "not-a-uuid"}, 400),
        ({"name": "x" * 256}, 400),
        ({"name": "nul\0"}, 400),
        ({"tags": ["x" * 256]}, 400),
        ({"tags": [f"t{i}" for i in range(129)]}, 413),
        ({f"p{i}": "x" for i in range(129)}, 413),
        ({"status": "active"}, 403),
        ({"checksum": "0" * 32}, 403),
        ({"os_glance_foo": "bar"}, 403),
        ({"deleted": "true"}, 403),
        ({"locations": []}, 403),
        ({"visibility": "public"}, 403),
        ({"visibility": "nobody"}, 400),
        ({"owner": "somebody-else"}, 403),
    ],
)
def test_what_a_new_image_may_not_say(images: Client, given: dict[str, Any], status: int) -> None:
    reply = images.post("/images", given)
    assert reply.status == status
    assert set(reply.body) == {"message", "code", "title"}


def test_any_disk_may_be_in_any_container(images: Client) -> None:
    """Upstream once tied ami, ari and aki together and no longer does."""
    assert made(images, disk_format="ami", container_format="bare")["disk_format"] == "ami"


@pytest.mark.parametrize("body", [[], "text", 5])
def test_a_body_that_is_no_object_is_refused(images: Client, body: Any) -> None:
    assert images.post("/images", body).status == 400


def test_an_id_is_given_once(images: Client) -> None:
    id = "00000000-1111-4222-8333-444455556666"
    assert made(images, id=id)["id"] == id
    assert images.post("/images", {"id": id}).status == 409


def test_an_administrator_makes_images_public_and_for_others(images: Client) -> None:
    image = made(images.as_admin(), visibility="public", owner="somebody")
    assert (image["visibility"], image["owner"]) == ("public", "somebody")
    assert images.get(f"/images/{image['id']}").status == 200


def test_a_patch_adds_replaces_and_removes(images: Client) -> None:
    id = made(images, name="a", color="red")["id"]
    reply = patch(
        images, id,
        {"op": "replace", "path": "/name", "value": "b"},
        {"op": "add", "path": "/with~1slash", "value": "x"},
        {"op": "add", "path": "/color", "value": "blue"},
        {"op": "replace", "path": "/tags", "value": ["t"]},
    )  # fmt: skip
    assert reply.status == 200
    assert {k: reply.body[k] for k in ("name", "with/slash", "color", "tags")} == {
        "name": "b", "with/slash": "x", "color": "blue", "tags": ["t"],
    }  # fmt: skip
    assert "color" not in patch(images, id, {"op": "remove", "path": "/color"}).body


def test_the_older_patch_form_names_the_operation_by_its_key(images: Client) -> None:
    id = made(images, name="a", color="red")["id"]
    assert patch(images, id, {"replace": "/name", "value": "b"}, headers=OLD).body["name"] == "b"
    assert patch(images, id, {"add": "/color", "value": "blue"}, headers=OLD).status == 409
    assert patch(images, id, {"op": "replace", "path": "/name", "value": "c"}, headers=OLD).status == 400


def test_other_media_types_are_not_taken_for_a_patch(images: Client) -> None:
    id = made(images)["id"]
    reply = patch(images, id, {"op": "remove", "path": "/x"}, headers={"Content-Type": "application/json"})
    assert reply.status == 415
    assert "openstack-images-v2.1-json-patch" in reply.headers["accept-patch"]


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ({"op": "replace", "path": "/missing", "value": "x"}, 409),
        ({"op": "remove", "path": "/missing"}, 409),
        ({"op": "remove", "path": "/name"}, 403),
        ({"op": "replace", "path": "/id", "value": "00000000-1111-4222-8333-444455556666"}, 403),
        ({"op": "replace", "path": "/status", "value": "active"}, 403),
        ({"op": "add", "path": "/os_glance_foo", "value": "bar"}, 403),
        ({"op": "replace", "path": "/owner", "value": "other"}, 403),
        ({"op": "replace", "path": "/visibility", "value": "public"}, 403),
        ({"op": "replace", "path": "/min_disk", "value": "x"}, 400),
        ({"op": "add", "path": "/number", "value": 5}, 400),
        ({"op": "add", "path": "name", "value": "x"}, 400),
        ({"op": "add", "path": "/a/b", "value": "x"}, 400),
        ({"op": "add", "path": "/a~2", "value": "x"}, 400),
        ({"op": "add", "path": 5, "value": "x"}, 400),
        ({"op": "add", "path": "/name"}, 400),
        ({"op": "test", "path": "/name", "value": "x"}, 400),
        ({}, 400),
    ],
)
def test_what_a_patch_may_not_do(images: Client, operation: dict[str, Any], status: int) -> None:
    id = made(images)["id"]
    before = images.get(f"/images/{id}").body
    assert patch(images, id, operation).status == status
    assert images.get(f"/images/{id}").body == before


@pytest.mark.parametrize("body", [{}, ["x"], [[]], "x", None])
def test_a_patch_is_a_list_of_objects(images: Client, body: Any) -> None:
    id = made(images)["id"]
    assert images.patch(f"/images/{id}", body, headers=NEW, raw=b"null" if body is None else None).status == 400


def test_formats_change_only_while_the_image_is_queued(images: Client) -> None:
    id = made(images)["id"]
    change = {"op": "replace", "path": "/disk_format", "value": "qcow2"}
    assert patch(images, id, change).status == 200
    fill(images, id)
    assert patch(images, id, change).status == 403


def test_a_deleted_image_is_gone(images: Client) -> None:
    id = made(images)["id"]
    assert images.delete(f"/images/{id}").status == 204
    assert images.get(f"/images/{id}").status == 404
    assert images.delete(f"/images/{id}").status == 404


def test_a_protected_image_stays(images: Client) -> None:
    id = made(images, protected=True)["id"]
    assert images.delete(f"/images/{id}").status == 403
    assert patch(images, id, {"op": "replace", "path": "/protected", "value": False}).status == 200
    assert images.delete(f"/images/{id}").status == 204


def test_a_path_that_ends_in_a_slash_is_no_image(images: Client) -> None:
    assert images.get("/images/").status == 404
    assert images.delete("/images/").status == 404


def test_an_image_is_switched_off_and_on(images: Client) -> None:
    id = made(images)["id"]
    assert images.post(f"/images/{id}/actions/deactivate").status == 403
    fill(images, id)
    for _ in range(2):
        assert images.post(f"/images/{id}/actions/deactivate").status == 204
    assert images.get(f"/images/{id}").body["status"] == "deactivated"
    assert images.post(f"/images/{id}/actions/reactivate").status == 204
    assert images.get(f"/images/{id}").body["status"] == "active"


def test_tags_are_added_once_and_removed_once(images: Client) -> None:
    id = made(images)["id"]
    for _ in range(2):
        assert images.put(f"/images/{id}/tags/blue").status == 204
    assert images.get(f"/images/{id}").body["tags"] == ["blue"]
    assert images.delete(f"/images/{id}/tags/blue").status == 204
    assert images.delete(f"/images/{id}/tags/blue").status == 404


def test_an_image_takes_128_tags(images: Client) -> None:
    id = made(images, tags=[f"t{i}" for i in range(128)])["id"]
    assert images.put(f"/images/{id}/tags/more").status == 413
    assert images.put(f"/images/{id}/tags/t5").status == 204


def test_readers_change_nothing_and_strangers_see_nothing(images: Client) -> None:
    id = made(images, visibility="private")["id"]
    reader, stranger = images.as_reader(), images.as_stranger()
    assert reader.get(f"/images/{id}").status == 200
    assert reader.post("/images", {}).status == 403
    assert reader.delete(f"/images/{id}").status == 403
    assert patch(reader, id, {"op": "replace", "path": "/name", "value": "x"}).status == 403
    for reply in (
        stranger.get(f"/images/{id}"),
        stranger.delete(f"/images/{id}"),
        patch(stranger, id, {"op": "replace", "path": "/name", "value": "x"}),
        stranger.put(f"/images/{id}/tags/x"),
        stranger.post(f"/images/{id}/actions/deactivate"),
        stranger.get(f"/images/{id}/members"),
    ):
        assert reply.status == 404
    assert images.anonymous().get("/images").status == 401


def test_a_public_image_of_others_can_be_seen_and_not_changed(images: Client) -> None:
    id = made(images.as_admin(), visibility="public")["id"]
    assert images.get(f"/images/{id}").status == 200
    assert images.delete(f"/images/{id}").status == 403


def test_schemas_are_served(images: Client) -> None:
    for name in ("image", "images", "member", "members", "task", "tasks"):
        assert images.get(f"/schemas/{name}").body["name"] == name
    assert images.get("/schemas/nothing").status == 404
    assert images.get("/schemas/image").body["additionalProperties"] == {"type": "string"}


def test_versions_need_no_token(images: Client) -> None:
    root = images.anonymous().at("/image")
    choices, listed = root.get(""), root.get("/versions")
    assert (choices.status, listed.status) == (300, 200)
    assert choices.body == listed.body
    newest = listed.body["versions"][0]
    assert (newest["id"], newest["status"]) == ("v2.18", "CURRENT")
    assert newest["links"][0]["href"].endswith("/image/v2/")


def test_import_methods_and_stores_are_said(images: Client) -> None:
    assert isinstance(images.get("/info/import").body["import-methods"]["value"], list)
    assert [store["id"] for store in images.get("/info/stores").body["stores"]] == ["file"]
