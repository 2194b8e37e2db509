"""/v2/images/{id}/members."""

from tests.contract.client import Client
from tests.contract.image.conftest import made


def test_sharing_offers_and_the_member_answers(images: Client) -> None:
    stranger, other = images.as_stranger(), images.facts["other"]
    id = made(images)["id"]
    assert stranger.get(f"/images/{id}").status == 404
    offered = images.post(f"/images/{id}/members", {"member": other})
    assert offered.status == 200
    assert {k: offered.body[k] for k in ("member_id", "image_id", "status", "schema")} == {
        "member_id": other, "image_id": id, "status": "pending", "schema": "/v2/schemas/member",
    }  # fmt: skip
    assert stranger.get(f"/images/{id}").status == 200
    assert images.put(f"/images/{id}/members/{other}", {"status": "accepted"}).status == 403
    assert stranger.put(f"/images/{id}/members/{other}", {"status": "perhaps"}).status == 400
    assert stranger.put(f"/images/{id}/members/{other}", {"status": "accepted"}).body["status"] == "accepted"
    assert images.get(f"/images/{id}/members/{other}").body["status"] == "accepted"
    listed = images.get(f"/images/{id}/members").body
    assert listed["schema"] == "/v2/schemas/members"
    assert [m["member_id"] for m in listed["members"]] == [other]


def test_a_member_may_look_and_not_change(images: Client) -> None:
    stranger, other = images.as_stranger(), images.facts["other"]
    id = made(images)["id"]
    images.post(f"/images/{id}/members", {"member": other})
    images.post(f"/images/{id}/members", {"member": "third"})
    assert [m["member_id"] for m in stranger.get(f"/images/{id}/members").body["members"]] == [other]
    assert stranger.get(f"/images/{id}/members/third").status == 404
    assert stranger.post(f"/images/{id}/members", {"member": "fourth"}).status == 403
    assert stranger.delete(f"/images/{id}/members/{other}").status == 403
    assert stranger.delete(f"/images/{id}").status == 403


def test_a_removed_member_sees_the_image_no_more(images: Client) -> None:
    stranger, other = images.as_stranger(), images.facts["other"]
    id = made(images)["id"]
    images.post(f"/images/{id}/members", {"member": other})
    assert images.delete(f"/images/{id}/members/{other}").status == 204
    assert images.delete(f"/images/{id}/members/{other}").status == 404
    assert stranger.get(f"/images/{id}").status == 404


def test_only_shared_images_have_members(images: Client) -> None:
    id = made(images, visibility="private")["id"]
    assert images.post(f"/images/{id}/members", {"member": "x"}).status == 403
    assert images.get(f"/images/{id}/members").status == 403


def test_a_member_is_named_once_and_not_emptily(images: Client) -> None:
    id = made(images)["id"]
    assert images.post(f"/images/{id}/members", {"member": "x"}).status == 200
    assert images.post(f"/images/{id}/members", {"member": "x"}).status == 409
    for body in ({"member": ""}, {}, {"member": 5}):
        assert images.post(f"/images/{id}/members", body).status == 400


def test_an_image_takes_128_members(images: Client) -> None:
    id = made(images)["id"]
    for number in range(128):
        assert images.post(f"/images/{id}/members", {"member": f"m{number}"}).status == 200
    assert images.post(f"/images/{id}/members", {"member": "more"}).status == 413
