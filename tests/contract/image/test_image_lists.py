"""Lists of images: who sees what, filters, order, pages."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.client import Client
from tests.contract.image.conftest import fill, made


def names(client: Client, query: str = "") -> list[str]:
    reply = client.get(f"/images{query}")
    assert reply.status == 200, reply.content
    return [image["name"] for image in reply.body["images"]]


def test_the_newest_image_comes_first(images: Client) -> None:
    for name in "abc":
        made(images, name=name)
    assert names(images) == ["c", "b", "a"]
    body = images.get("/images").body
    assert (body["first"], body["schema"]) == ("/v2/images", "/v2/schemas/images")
    assert "next" not in body


@pytest.mark.parametrize("sort", ["", "&sort=name:asc", "&sort=size:desc,name:asc", "&sort_key=size&sort_dir=asc"])
def test_pages_lead_through_everything_once(images: Client, sort: str) -> None:
    for number, name in enumerate("abcdefg"):
        id = made(images, name=name)["id"]
        if number % 2:
            fill(images, id, number % 3)
    everything = names(images, f"?limit=100{sort}")
    found, path = [], f"/images?limit=2{sort}"
    while path:
        body = images.get(path).body
        assert len(body["images"]) <= 2
        found += [image["name"] for image in body["images"]]
        path = body.get("next", "").removeprefix("/v2")
    assert found == everything
    assert sorted(found) == list("abcdefg")


def test_a_page_after_the_last_is_empty(images: Client) -> None:
    first, _ = made(images, name="a"), made(images, name="b")
    assert names(images, f"?limit=1&marker={first['id']}") == []
    assert names(images, "?limit=0") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=x", "limit=-1", "marker=00000000-1111-4222-8333-444455556666", "sort=nothing", "sort=name:up",
        "sort=name&sort_key=name", "sort_key=name&sort_dir=up", "visibility=x", "member_status=x", "size_min=x",
        "created_at=yesterday", "min_ram=-5", "protected=maybe", "name=in:%22open", "size=99999999999999999999",
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(images: Client, query: str) -> None:
    assert images.get(f"/images?{query}").status == 400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=a", "a"),
        ("name=in:a,b", "ab"),
        ("name=in:%22c,d%22,a", ["a", "c,d"]),
        ("status=active", "a"),
        ("status=in:active,queued", ["a", "b", "c,d"]),
        ("disk_format=qcow2", "b"),
        ("container_format=in:bare", ["a", "b", "c,d"]),
        ("size=1000", "a"),
        ("size_min=500", "a"),
        ("size_max=500", ""),
        ("tag=blue", "b"),
        ("tag=blue&tag=big", "b"),
        ("tag=blue&tag=small", ""),
        ("os_distro=debian", "a"),
        ("os_distro=debi%22an", ""),
        ("os_distro=debian&name=b", ""),
        ("unknown=x", ""),
        ("protected=true", "b"),
        ("os_hidden=true", ["hidden"]),
        ("min_ram=64", "b"),
        ("created_at=gt:2020-01-01T00:00:00Z", ["a", "b", "c,d"]),
        ("created_at=lt:2020-01-01T00:00:00Z", ""),
        ("visibility=private", "b"),
    ],
)
def test_a_list_is_filtered(images: Client, query: str, expected: Any) -> None:
    fill(images, made(images, name="a", os_distro="debian")["id"], 1000)
    made(images, name="b", disk_format="qcow2", tags=["blue", "big"], protected=True, min_ram=64, visibility="private")
    made(images, name="c,d")
    made(images, name="hidden", os_hidden=True)
    assert sorted(names(images, f"?{query}")) == list(expected)


def test_times_compare_by_the_second(images: Client) -> None:
    created = quote(made(images, name="a")["created_at"])
    assert names(images, f"?created_at=gte:{created}") == ["a"]
    assert names(images, f"?created_at=lte:{created}") == ["a"]
    assert names(images, f"?created_at=gt:{created}") == []
    assert names(images, f"?created_at=lt:{created}") == []


def test_everybody_sees_own_and_public_images(images: Client) -> None:
    made(images, name="own")
    made(images, name="own private", visibility="private")
    made(images, name="own community", visibility="community")
    made(images.as_admin(), name="public", visibility="public")
    made(images.as_stranger(), name="foreign private", visibility="private")
    made(images.as_stranger(), name="foreign community", visibility="community")
    assert sorted(names(images)) == ["own", "own community", "own private", "public"]
    assert sorted(names(images, "?visibility=community")) == ["foreign community", "own community"]
    assert sorted(names(images, "?visibility=all")) == [
        "foreign community", "own", "own community", "own private", "public",
    ]  # fmt: skip
    assert names(images, "?visibility=public") == ["public"]
    assert "foreign private" in names(images.as_admin())
    assert "foreign community" not in names(images.as_admin())


def test_a_shared_image_is_listed_by_those_who_accepted_it(images: Client) -> None:
    stranger, other = images.as_stranger(), images.facts["other"]
    id = made(images, name="shared")["id"]
    assert images.post(f"/images/{id}/members", {"member": other}).status == 200
    assert names(stranger) == []
    assert names(stranger, "?visibility=shared&member_status=pending") == ["shared"]
    assert names(stranger, "?visibility=shared&member_status=all") == ["shared"]
    assert stranger.put(f"/images/{id}/members/{other}", {"status": "accepted"}).status == 200
    assert names(stranger) == ["shared"]
    assert names(stranger, "?visibility=shared&member_status=pending") == []
    assert stranger.put(f"/images/{id}/members/{other}", {"status": "rejected"}).status == 200
    assert names(stranger) == []
