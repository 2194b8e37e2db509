"""Limits that identity keeps for images, and what `/v2/info/usage` shows of them."""

from typing import Any

import pytest

from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Received
from pilvi.image.images.model import Status
from pilvi.kernel.context import Context, Principal, internal
from pilvi.kernel.errors import TooLarge
from tests.contract.client import Client
from tests.contract.image.conftest import fill, made

MIB = 1024**2


def limit(images: Client, **values: int) -> None:
    """Register limits that bind every project, or replace their defaults."""
    admin = images.as_admin().at("/identity/v3")
    service = next(s["id"] for s in admin.get("/services").body["services"] if s["type"] == "image")
    known = {r["resource_name"]: r["id"] for r in admin.get("/registered_limits").body["registered_limits"]}
    for name, value in values.items():
        if name in known:
            admin.patch(f"/registered_limits/{known[name]}", {"registered_limit": {"default_limit": value}})
            continue
        body = {"service_id": service, "region_id": "RegionOne", "resource_name": name, "default_limit": value}
        assert admin.post("/registered_limits", {"registered_limits": [body]}).status == 201


def usage(images: Client) -> dict[str, Any]:
    found: dict[str, Any] = images.get("/info/usage").body["usage"]
    return found


def begin(images: Client, id: str, *, stage: bool = False) -> Any:
    who = Principal(user_id="u", project_id=images.facts["demo"], roles=frozenset({"member", "reader"}))
    ctx = Context("req-test", who)
    return images.database.write(lambda tx: image_data.begin(ctx, tx, id, store="file", stage=stage))


def staged(images: Client, id: str, size: int) -> None:
    transfer = begin(images, id, stage=True)
    images.database.write(lambda tx: image_data.finish_stage(internal("req-test"), tx, transfer, size))


def test_without_limits_usage_is_shown_all_the_same(images: Client) -> None:
    fill(images, made(images)["id"], 3 * MIB)
    staged(images, made(images)["id"], 2 * MIB)
    made(images.as_stranger())
    assert usage(images) == {
        "image_size_total": {"usage": 3, "limit": -1}, "image_stage_total": {"usage": 2, "limit": -1},
        "image_count_total": {"usage": 2, "limit": -1}, "image_count_uploading": {"usage": 1, "limit": -1},
    }  # fmt: skip


def test_a_project_has_so_many_images(images: Client) -> None:
    limit(images, image_count_total=1)
    id = made(images)["id"]
    reply = images.post("/images", {"name": "second"})
    assert (reply.status, "1 of 1 image_count_total" in reply.body["message"]) == (413, True)
    assert images.as_stranger().post("/images", {}).status == 201, "Another project has its own."
    images.delete(f"/images/{id}")
    assert images.post("/images", {}).status == 201


def test_a_limit_of_the_project_goes_before_the_default(images: Client) -> None:
    limit(images, image_count_total=0)
    assert images.post("/images", {}).status == 413
    admin = images.as_admin().at("/identity/v3")
    service = next(s["id"] for s in admin.get("/services").body["services"] if s["type"] == "image")
    body = {"service_id": service, "region_id": "RegionOne", "resource_name": "image_count_total",
            "project_id": images.facts["demo"], "resource_limit": 1}  # fmt: skip
    assert admin.post("/limits", {"limits": [body]}).status == 201
    assert images.post("/images", {}).status == 201
    assert usage(images)["image_count_total"] == {"usage": 1, "limit": 1}


def test_so_many_uploads_go_on_at_a_time(images: Client) -> None:
    limit(images, image_count_uploading=1)
    first, second = made(images)["id"], made(images)["id"]
    staged(images, first, MIB)
    for stage in (True, False):
        with pytest.raises(TooLarge):
            begin(images, second, stage=stage)
    assert images.get(f"/images/{second}").body["status"] == "queued"
    limit(images, image_count_uploading=2)
    begin(images, second)


def test_a_project_beyond_its_bytes_uploads_nothing(images: Client) -> None:
    limit(images, image_size_total=1, image_stage_total=1)
    ids = [made(images)["id"] for _ in range(4)]
    fill(images, ids[0], MIB)
    fill(images, ids[1], MIB)  # Nobody knew its size when it began: the limit is passed once, not twice.
    with pytest.raises(TooLarge):
        begin(images, ids[2])
    web = {"method": {"name": "web-download", "uri": "https://example.org/x"}}
    assert images.post(f"/images/{ids[2]}/import", web).status == 413
    staged(images, ids[2], 2 * MIB)
    with pytest.raises(TooLarge):
        begin(images, ids[3], stage=True)
    images.delete(f"/images/{ids[0]}")
    begin(images, ids[3])


def test_an_image_in_two_stores_counts_twice(images: Client) -> None:
    id = made(images)["id"]
    ctx = internal("req-test")
    transfer = images.database.write(lambda tx: image_data.begin(ctx, tx, id, store="file"))
    received = Received(MIB, MIB, "0" * 32, "a" * 128)
    images.database.write(
        lambda tx: image_data.finish(
            ctx, tx, transfer, received, states=(Status.SAVING,), places=[{"store": "file"}, {"store": "second"}]
        )
    )
    assert usage(images)["image_size_total"]["usage"] == 2
