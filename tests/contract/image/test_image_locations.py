"""Locations by PATCH, in a cloud that shows them, and their absence elsewhere."""

from dataclasses import replace
from typing import Any

import pytest

from pilvi.kernel.config import Config
from tests.contract.client import Client
from tests.contract.image.conftest import NEW, fill, made

URL = "https://example.org/disk"
PLACE = {"url": URL, "metadata": {"foo": "bar"}}
DIGESTS = {"checksum": "1" * 32, "os_hash_algo": "sha512", "os_hash_value": "deadbeef" * 16}


@pytest.fixture
def config(config: Config, request: pytest.FixtureRequest) -> Config:
    if "hidden" in request.node.name:
        return config
    return replace(config, image=replace(config.image, show_locations=True))


def patch(client: Client, id: str, op: str, path: str, value: Any = None) -> Any:
    operation = {"op": op, "path": path} | ({"value": value} if value is not None else {})
    return client.patch(f"/images/{id}", [operation], headers=NEW)


def test_where_locations_are_hidden_nobody_says_them(images: Client) -> None:
    image = made(images)
    assert "locations" not in image
    assert patch(images.as_admin(), image["id"], "add", "/locations/-", PLACE).status == 403


def test_a_location_makes_an_image_active(images: Client) -> None:
    image = made(images)
    assert image["locations"] == []
    shown = patch(images, image["id"], "add", "/locations/-", PLACE).body
    assert (shown["status"], shown["locations"], shown["os_hash_value"]) == ("active", [PLACE], None)


def test_data_of_our_own_is_a_location_too(images: Client) -> None:
    id = made(images)["id"]
    fill(images, id)
    assert images.get(f"/images/{id}").body["locations"] == [{"url": f"pilvi://file/{id}", "metadata": {}}]


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ({"url": "gopher://example.org", "metadata": {}}, 400),
        ({"url": "http://127.0.0.1/x", "metadata": {}}, 400),
        ({"url": "http://169.254.169.254/", "metadata": {}}, 400),
        ({"url": "file:///etc/passwd", "metadata": {}}, 400),
        ({"url": "pilvi://file/x", "metadata": {}}, 400),
        ({"url": URL}, 400),
        ({"metadata": {}}, 400),
        (PLACE | {"validation_data": DIGESTS | {"os_hash_algo": "sha123"}}, 400),
        (PLACE | {"validation_data": DIGESTS | {"os_hash_value": "short"}}, 400),
        (PLACE | {"validation_data": {"checksum": "1" * 32}}, 400),
    ],
)
def test_what_a_location_may_not_say(images: Client, value: dict[str, Any], status: int) -> None:
    id = made(images)["id"]
    assert patch(images, id, "add", "/locations/-", value).status == status
    assert images.get(f"/images/{id}").body["status"] == "queued"


def test_digests_that_come_along_must_agree_later(images: Client) -> None:
    id = made(images)["id"]
    shown = patch(images, id, "add", "/locations/-", PLACE | {"validation_data": DIGESTS}).body
    assert {name: shown[name] for name in DIGESTS} == DIGESTS
    for name, value in {"checksum": "2" * 32, "os_hash_value": "0" * 128, "os_hash_algo": "sha256"}.items():
        other = {"url": f"{URL}#{name}", "metadata": {}, "validation_data": DIGESTS | {name: value}}
        assert patch(images, id, "add", "/locations/-", other).status == 409
    same = {"url": f"{URL}#same", "metadata": {}, "validation_data": DIGESTS}
    assert len(patch(images, id, "add", "/locations/-", same).body["locations"]) == 2


def test_replacing_changes_only_what_is_said_of_locations(images: Client) -> None:
    id = made(images)["id"]
    other = {"url": f"{URL}#2", "metadata": {}}
    patch(images, id, "add", "/locations/-", PLACE)
    patch(images, id, "add", "/locations/-", other)
    assert patch(images, id, "add", "/locations/-", other).status == 400
    changed = [PLACE | {"metadata": {"date": "today"}}, other]
    assert patch(images, id, "replace", "/locations", changed).body["locations"] == changed
    for bad in ([PLACE], [PLACE, {"url": f"{URL}#3", "metadata": {}}], [], "x"):
        assert patch(images, id, "replace", "/locations", bad).status == 400
    assert images.get(f"/images/{id}").body["locations"] == changed


def test_an_administrator_removes_all_but_the_last(images: Client) -> None:
    id = made(images)["id"]
    patch(images, id, "add", "/locations/-", PLACE)
    patch(images, id, "add", "/locations/0", {"url": f"{URL}#first", "metadata": {}})
    assert patch(images, id, "remove", "/locations/0").status == 403
    for bad in ("/locations/5", "/locations/x", "/locations"):
        assert patch(images.as_admin(), id, "remove", bad).status == 400
    assert patch(images.as_admin(), id, "remove", "/locations/0").body["locations"] == [PLACE]
    assert patch(images.as_admin(), id, "remove", "/locations/0").status == 403


def test_an_image_has_ten_locations_at_most(images: Client) -> None:
    id = made(images)["id"]
    for number in range(10):
        place = {"url": f"{URL}#{number}", "metadata": {}}
        assert patch(images, id, "add", "/locations/-", place).status == 200
    assert patch(images, id, "add", "/locations/-", PLACE).status == 413
