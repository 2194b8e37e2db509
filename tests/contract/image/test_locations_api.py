"""/v2/images/{id}/locations: what services may say and read, and what others may not."""

from dataclasses import replace
from typing import Any

import pytest

from pilvi.kernel.config import Config
from tests.contract.client import Client
from tests.contract.conftest import login
from tests.contract.image.conftest import fill, made

URL = "https://example.org/disk"


@pytest.fixture
def config(config: Config, request: pytest.FixtureRequest) -> Config:
    return replace(config, image=replace(config.image, show_locations="member" in request.node.name))


@pytest.fixture
def service(images: Client) -> Client:
    """A user with the role that only services have."""
    admin = images.as_admin().at("/identity/v3")
    user = {"name": "nova", "domain_id": "default", "password": "secret-of-nova"}
    id = admin.post("/users", {"user": user}).body["user"]["id"]
    roles = images.facts["roles"]
    for role in ("service", "member"):
        admin.put(f"/projects/{images.facts['other']}/users/{id}/roles/{roles[role]}")
    return replace(images, token=login(images, "nova", "secret-of-nova", "other"))


def test_a_service_says_where_bytes_are(images: Client, service: Client) -> None:
    id = made(images, visibility="private")["id"]
    sha = {"os_hash_algo": "sha256", "os_hash_value": "ab" * 32}
    assert service.post(f"/images/{id}/locations", {"url": URL, "validation_data": sha}).status == 202
    task = images.get(f"/images/{id}/tasks").body["tasks"][0]
    assert (task["type"], task["status"], task["input"]["loc_url"]) == ("location_import", "pending", URL)
    assert images.get(f"/images/{id}").body["status"] == "importing"
    assert service.post(f"/images/{id}/locations", {"url": URL}).status == 409


def test_a_service_reads_where_bytes_are(images: Client, service: Client) -> None:
    id = made(images, visibility="private")["id"]
    fill(images, id)
    assert service.get(f"/images/{id}/locations").body == [{"url": f"pilvi://file/{id}", "metadata": {}}]
    assert images.get(f"/images/{id}/locations").status == 403
    assert images.as_admin().get(f"/images/{id}/locations").status == 403
    assert images.as_stranger().get(f"/images/{id}/locations").status == 404
    assert service.get("/images/nothing/locations").status == 404


def test_others_say_nothing_where_locations_are_hidden(images: Client) -> None:
    id = made(images)["id"]
    assert images.post(f"/images/{id}/locations", {"url": URL}).status == 403
    assert images.as_stranger().post(f"/images/{id}/locations", {"url": URL}).status == 404
    assert images.get(f"/images/{id}").body["status"] == "queued"


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"url": ""}, {"url": 5}, {"url": URL, "more": 1}, {"url": "file:///etc/passwd"},
        {"url": "http://127.0.0.1/"}, {"url": "http://169.254.169.254/"}, {"url": "https://user:pw@example.org/"},
        {"url": URL, "validation_data": {"os_hash_algo": "sha256"}},
        {"url": URL, "validation_data": {"os_hash_value": "ab"}},
        {"url": URL, "validation_data": {"os_hash_algo": "sha123", "os_hash_value": "ab" * 32}},
        {"url": URL, "validation_data": {"os_hash_algo": "sha512", "os_hash_value": "ab" * 32}},
    ],
)  # fmt: skip
def test_what_a_member_may_not_say(images: Client, body: Any) -> None:
    id = made(images)["id"]
    assert images.post(f"/images/{id}/locations", body).status == 400
    assert images.get(f"/images/{id}").body["status"] == "queued"


def test_a_member_says_where_the_operator_allows_it(images: Client) -> None:
    id = made(images)["id"]
    assert images.post(f"/images/{id}/locations", {"url": URL}).status == 202
