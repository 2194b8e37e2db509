"""/v2/cache: what is cached, what is to be, and who may say so."""

from dataclasses import replace
from typing import Any

import pytest

from pilvi.image.cached_images import service as cached_images
from pilvi.kernel import work
from pilvi.kernel.config import Config
from tests.contract.client import Client
from tests.contract.image.conftest import fill, made

MIB = 1024**2


@pytest.fixture
def config(config: Config, request: pytest.FixtureRequest) -> Config:
    return replace(config, image=replace(config.image, cache_gib=0 if "without" in request.node.name else 1))


def active(images: Client, **given: Any) -> str:
    id = str(made(images, **given)["id"])
    fill(images, id)
    return id


def keep(images: Client, id: str, size: int, limit: int = 1024 * MIB) -> bool:
    """As if the loop had made the copy."""
    return bool(images.database.write(lambda tx: cached_images.keep(tx, id, "node", size, limit)))


def state(images: Client) -> tuple[list[str], list[str]]:
    body = images.as_admin().get("/cache").body
    return [entry["image_id"] for entry in body["cached_images"]], body["queued_images"]


def test_an_image_is_queued_cached_and_forgotten(images: Client) -> None:
    id, admin = active(images), images.as_admin()
    assert admin.put(f"/cache/{id}").status == 202
    assert admin.put(f"/cache/{id}").status == 202
    assert state(images) == ([], [id])
    assert admin.get(f"/cache/nodes/{id}").body == []
    assert keep(images, id, 1024)
    images.database.write(lambda tx: cached_images.hit(tx, id))
    entry = admin.get("/cache").body["cached_images"][0]
    assert set(entry) == {"image_id", "hits", "last_accessed", "last_modified", "size"}
    assert (entry["image_id"], entry["hits"], entry["size"]) == (id, 1, 1024)
    assert entry["last_accessed"] >= entry["last_modified"] > 1_700_000_000
    assert admin.get(f"/cache/nodes/{id}").body == ["node"]
    assert admin.delete(f"/cache/{id}").status == 204
    assert state(images) == ([], [])
    assert id in [item.key for item in images.database.read(lambda tx: work.pending(tx, cached_images.WORK))]


def test_only_what_has_data_is_queued(images: Client) -> None:
    admin = images.as_admin()
    assert admin.put(f"/cache/{made(images)['id']}").status == 400
    assert admin.put("/cache/non-existing-image-id").status == 404
    assert admin.delete("/cache/non-existing-image-id").status == 404
    assert admin.get("/cache/nodes/non-existing-image-id").status == 404
    assert admin.delete(f"/cache/{active(images)}").status == 204


@pytest.mark.parametrize(
    ("target", "left"), [("", (0, 0)), ("cache", (0, 1)), ("queue", (1, 0)), ("CACHE", (0, 1))]
)  # fmt: skip
def test_clearing_may_mean_one_half(images: Client, target: str, left: tuple[int, int]) -> None:
    cached, queued, admin = active(images), active(images), images.as_admin()
    admin.put(f"/cache/{cached}")
    keep(images, cached, 1)
    admin.put(f"/cache/{queued}")
    headers = {"x-image-cache-clear-target": target} if target else {}
    assert admin.delete("/cache", headers=headers).status == 204
    assert tuple(map(len, state(images))) == left


def test_clearing_something_else_is_refused(images: Client) -> None:
    reply = images.as_admin().delete("/cache", headers={"x-image-cache-clear-target": "everything"})
    assert reply.status == 400


def test_what_was_not_read_for_longest_goes_first(images: Client) -> None:
    admin = images.as_admin()
    first, second, third = (active(images) for _ in range(3))
    for id in (first, second, third):
        admin.put(f"/cache/{id}")
        keep(images, id, 600 * MIB, limit=10**12)
    images.database.write(lambda tx: cached_images.hit(tx, first))
    assert admin.post("/cache/prune").body == {"total_files_pruned": 2, "total_bytes_pruned": 1200 * MIB}
    assert state(images) == ([first], [])
    assert admin.post("/cache/prune").body == {"total_files_pruned": 0, "total_bytes_pruned": 0}


def test_a_new_copy_pushes_the_oldest_out(images: Client) -> None:
    old, new = active(images), active(images)
    for id in (old, new):
        images.as_admin().put(f"/cache/{id}")
        assert keep(images, id, 600 * MIB)
    assert state(images) == ([new], [])
    assert not keep(images, old, 1), "It was forgotten: its bytes must not be kept."


def test_a_deleted_image_leaves_the_cache(images: Client) -> None:
    id = active(images)
    images.as_admin().put(f"/cache/{id}")
    assert images.delete(f"/images/{id}").status == 204
    assert state(images) == ([], [])


def test_cleaning_wakes_the_loop(images: Client) -> None:
    assert images.as_admin().post("/cache/clean").status == 200
    assert "*" in [item.key for item in images.database.read(lambda tx: work.pending(tx, cached_images.WORK))]


def test_the_cache_is_the_administrators(images: Client) -> None:
    id = active(images)
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("PUT", f"/{id}"), ("DELETE", f"/{id}"), ("GET", f"/nodes/{id}"),
        ("POST", "/clean"), ("POST", "/prune"),
    ):  # fmt: skip
        assert images.request(method, f"/cache{path}").status == 403, (method, path)
    assert images.as_stranger().put(f"/cache/{id}").status == 404


def test_versions_tell_of_the_cache(images: Client) -> None:
    found = [v["id"] for v in images.anonymous().at("/image").get("/versions").body["versions"]]
    assert found[0] == "v2.18"
    assert {"v2.14", "v2.16"} <= set(found)


def test_without_a_cache_there_is_nothing_of_it(images: Client) -> None:
    assert images.as_admin().get("/cache").status == 404
    found = [v["id"] for v in images.anonymous().at("/image").get("/versions").body["versions"]]
    assert found[0] == "v2.17"
    assert not {"v2.14", "v2.16", "v2.18"} & set(found)
