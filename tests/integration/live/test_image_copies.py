"""Copies in the cache, made by a real `live`: read from there, checked, forgotten."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilvi.image.stores.model import stores_of
from pilvi.kernel import facts
from pilvi.kernel.db import Database
from tests.contract.image.conftest import NEW
from tests.integration.live.rig import Rig, running
from tests.integration.live.test_image_streams import wait_until
from tests.integration.live.test_imports import CONTENT, over, site

__all__ = ["site"]


@pytest.fixture(scope="module")
def rig(site: str) -> Iterator[Rig]:
    with running(import_from=site, several_stores=True) as made:
        yield made


def located(rig: Rig, url: str, **given: str) -> str:
    """An image whose bytes are at a web server."""
    id = rig.image(**given)
    place = {"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}}}
    assert rig.images.patch(f"/images/{id}", [place], headers=NEW).status == 200
    return id


def cached(rig: Rig) -> dict[str, int]:
    """Image → how often its copy was read."""
    body = rig.images.as_admin().get("/cache").body
    return {entry["image_id"]: entry["hits"] for entry in body["cached_images"]}


def queued(rig: Rig) -> list[str]:
    found: list[str] = rig.images.as_admin().get("/cache").body["queued_images"]
    return found


def test_what_is_far_is_read_from_near_the_next_time(rig: Rig, site: str) -> None:
    id = located(rig, f"http://{site}/raw")
    assert rig.download(id)[2] == CONTENT["/raw"]
    wait_until(lambda: id in cached(rig))
    good = CONTENT["/raw"]
    try:
        CONTENT["/raw"] = b"other bytes"
        assert rig.download(id)[2] == good
        assert rig.download(id, Range="bytes=0-9")[2] == good[:10]
    finally:
        CONTENT["/raw"] = good
    assert cached(rig)[id] == 2


def test_what_is_near_is_cached_when_asked(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"near" * 1000)
    assert rig.images.as_admin().put(f"/cache/{id}").status == 202
    rig.client.work()
    wait_until(lambda: id in cached(rig))
    path = cache_of(rig) / id
    assert path.read_bytes() == b"near" * 1000
    events = rig.database.read(lambda tx: facts.of(tx, id))
    [copied] = [event for event in events if event.step == "image cache copy"]
    assert (copied.outcome, copied.request_id) == ("done", next(e.request_id for e in events if "/cache/" in e.step))
    rig.images.as_admin().delete(f"/cache/{id}")
    rig.client.work()
    wait_until(lambda: not path.exists())
    assert rig.download(id)[2] == b"near" * 1000


def cache_of(rig: Rig) -> Path:
    cache = stores_of(rig.config).cache
    assert cache is not None
    return cache.directory


@pytest.mark.parametrize(("path", "format"), [("/backed", "qcow2"), ("/good", "raw"), ("/missing", "raw")])
def test_what_must_not_be_kept_is_not(rig: Rig, site: str, path: str, format: str) -> None:
    id = located(rig, f"http://{site}{path}", disk_format=format)
    rig.images.as_admin().put(f"/cache/{id}")
    rig.client.work()
    wait_until(lambda: id not in queued(rig))
    assert id not in cached(rig)
    assert not list(cache_of(rig).glob(f"{id}*"))


def test_bytes_that_are_not_the_registered_ones_are_not_kept(rig: Rig, site: str) -> None:
    id = rig.image()
    digests = {"os_hash_algo": "sha512", "os_hash_value": "ab" * 64}
    place = {"url": f"http://{site}/raw", "metadata": {}, "validation_data": digests}
    rig.images.patch(f"/images/{id}", [{"op": "add", "path": "/locations/-", "value": place}], headers=NEW)
    rig.images.as_admin().put(f"/cache/{id}")
    rig.client.work()
    wait_until(lambda: id not in queued(rig))
    assert id not in cached(rig)


def test_files_and_rows_that_have_lost_each_other_go(rig: Rig, site: str) -> None:
    id = located(rig, f"http://{site}/raw")
    rig.images.as_admin().put(f"/cache/{id}")
    rig.client.work()
    wait_until(lambda: id in cached(rig))
    (cache_of(rig) / id).unlink()
    stray, part = cache_of(rig) / "stray", cache_of(rig) / "other.0123.part"
    stray.write_bytes(b"x")
    part.write_bytes(b"x")
    assert rig.download(id)[2] == CONTENT["/raw"], "A lost copy must not be missed."
    rig.images.as_admin().post("/cache/clean")
    rig.client.work()
    wait_until(lambda: not stray.exists() and not part.exists() and id not in cached(rig))


def test_the_loop_may_run_at_any_time(rig: Rig, site: str) -> None:
    from pilvi.image.cached_images import reconcile

    stores = stores_of(rig.config)
    assert stores.cache is not None
    id = located(rig, f"http://{site}/raw")
    database: Database = rig.database
    for key in (id, "nobody", "*", id):
        reconcile.reconcile(database, key, stores, stores.cache)
    assert not list(cache_of(rig).glob("nobody*"))


def add_location(rig: Rig, url: str, **validation: str) -> dict[str, Any]:
    """The image, after its task has ended, with that task."""
    id = rig.image()
    body = {"url": url} | ({"validation_data": validation} if validation else {})
    assert rig.images.post(f"/images/{id}/locations", body).status == 202
    rig.client.work()
    task = over(rig, id)
    shown: dict[str, Any] = rig.images.get(f"/images/{id}").body
    return shown | {"task": task}


def test_a_location_is_hashed_and_stays_where_it_is(rig: Rig, site: str) -> None:
    content = CONTENT["/raw"]
    shown = add_location(rig, f"http://{site}/raw")
    assert (shown["status"], shown["size"], shown["stores"]) == ("active", len(content), "web")
    assert (shown["os_hash_algo"], shown["os_hash_value"]) == ("sha512", hashlib.sha512(content).hexdigest())
    assert shown["checksum"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert not (rig.store.directory / shown["id"]).exists()
    assert rig.download(shown["id"])[2] == content


def test_a_location_whose_hash_was_said_is_checked(rig: Rig, site: str) -> None:
    sha256 = hashlib.sha256(CONTENT["/raw"]).hexdigest()
    good = add_location(rig, f"http://{site}/raw", os_hash_algo="sha256", os_hash_value=sha256)
    assert (good["status"], good["os_hash_algo"], good["os_hash_value"]) == ("active", "sha256", sha256)
    bad = add_location(rig, f"http://{site}/raw", os_hash_algo="sha256", os_hash_value="ab" * 32)
    assert (bad["status"], bad["os_hash_value"], bad["checksum"]) == ("queued", None, None)
    assert (bad["task"]["status"], "sha256 digest" in bad["task"]["message"]) == ("failure", True)


@pytest.mark.parametrize("path", ["/missing", "/to-metadata", "/to-file"])
def test_a_location_that_cannot_be_read_leaves_the_image_queued(rig: Rig, site: str, path: str) -> None:
    shown = add_location(rig, f"http://{site}{path}")
    assert (shown["status"], shown["task"]["status"]) == ("queued", "failure")
