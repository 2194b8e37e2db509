"""Requests that no client sends, to the newer operations: an answer that says what is wrong, never a 500."""

import pytest

from tests.contract.client import Client
from tests.contract.image.conftest import made

ODD_IDS = ["%00", "a%00b", "x" * 5000, "%F0%9F%92%BE", "..", "'; drop table image_images", "*"]
BELOW = [
    ("GET", "/images/{}/locations"), ("POST", "/images/{}/locations"), ("PUT", "/cache/{}"), ("DELETE", "/cache/{}"),
    ("GET", "/cache/nodes/{}"), ("GET", "/images/{}/tasks"), ("GET", "/tasks/{}"), ("GET", "/images/{}"),
]  # fmt: skip


@pytest.mark.parametrize("id", ODD_IDS, ids=lambda text: text[:12])
def test_odd_ids_are_not_found(images: Client, id: str) -> None:
    for method, path in BELOW:
        body = {"url": "https://example.org/"} if method == "POST" else None
        reply = images.as_admin().request(method, path.format(id), body)
        assert reply.status in (400, 404), (method, path, reply.content)


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'"x"', b"\xff", b'{"url": 1e400}', b'{"url": "\\u0000"}'])
def test_odd_bodies_are_bad(images: Client, body: bytes) -> None:
    id = made(images)["id"]
    for path in (f"/images/{id}/locations", f"/images/{id}/import"):
        headers = {"Content-Type": "application/json"}
        assert images.request("POST", path, raw=body, headers=headers).status in (400, 403), (path, body)
    assert images.get(f"/images/{id}").body["status"] == "queued"


@pytest.mark.parametrize("value", ["%00", "x" * 300, "a\0b"])
def test_odd_properties_of_a_signature_are_kept_as_text_or_refused(images: Client, value: str) -> None:
    reply = images.post("/images", {"img_signature": value, "img_signature_hash_method": value})
    assert reply.status in (201, 400)
