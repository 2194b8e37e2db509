"""The byte paths with a store that has no files: what works here works with any store that keeps the protocol."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pilvi.image import drivers
from pilvi.image.drivers.memory import MemoryStore
from pilvi.image.image_data.reconcile import tidy
from pilvi.image.stores import model
from pilvi.image.stores.model import Store, Stores
from pilvi.kernel.config import Config, ImageConfig
from tests.integration.live.rig import Rig
from tests.integration.live.test_image_streams import wait_until

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def rig(tmp_path: Path, memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    real = model.stores_of

    def stores_of(config: Config) -> Stores:
        found = real(config)
        far = Store("far", "Not on this machine", Path("/nowhere"), driver="memory")
        return Stores((far, *found.all), found.staging, cache=found.cache)

    for name in ("pilvi.live.server", "pilvi.image.routes", "tests.integration.live.rig"):
        monkeypatch.setattr(f"{name}.stores_of", stores_of)
    monkeypatch.setitem(drivers.DRIVERS, "memory", "none")
    real_open = drivers.open_store
    opened = lambda driver, place: memory if driver == "memory" else real_open(driver, place)  # noqa: E731
    for room in ("image_data.stream", "image_data.reconcile", "imports.reconcile", "cached_images.reconcile"):
        monkeypatch.setattr(f"pilvi.image.{room}.open_store", opened)
    made = Rig(tmp_path, ImageConfig())
    made.start()
    yield made
    made.stop()


def test_what_went_in_comes_out_whole_and_in_parts(rig: Rig, memory: MemoryStore) -> None:
    id = rig.image()
    assert rig.upload(id, CONTENT)[0] == 204
    assert memory.kept == {id: CONTENT}
    status, headers, received = rig.download(id)
    assert (status, received, headers["content-length"]) == (200, CONTENT, str(len(CONTENT)))
    assert headers["content-md5"] == rig.images.get(f"/images/{id}").body["checksum"]
    status, headers, received = rig.ask("GET", f"/image/v2/images/{id}/file", Range="bytes=1000-1099")
    assert (status, received) == (206, CONTENT[1000:1100])
    assert headers["content-range"] == f"bytes 1000-1099/{len(CONTENT)}"
    assert rig.ask("GET", f"/image/v2/images/{id}/file", Range=f"bytes={len(CONTENT)}-")[0] == 416


def test_an_upload_that_is_refused_leaves_nothing(rig: Rig, memory: MemoryStore) -> None:
    id = rig.image(disk_format="qcow2")
    assert rig.upload(id, CONTENT)[0] == 415
    assert (memory.kept, memory.parts) == ({}, {})
    assert rig.status_of(id) == "queued"


def test_bytes_of_no_image_are_found_and_removed(rig: Rig, memory: MemoryStore) -> None:
    stray = "0f2d2b4e-1111-4222-8333-444455556666"
    incoming = memory.receive(stray, "dead")
    incoming.write(b"x")
    memory.kept[stray] = b"x"
    tidy(rig.database, rig.server.images.stores, stray)
    assert (memory.kept, memory.parts) == ({}, {})


def test_lost_bytes_are_said_to_be_lost(rig: Rig, memory: MemoryStore) -> None:
    id = rig.image()
    assert rig.upload(id, CONTENT)[0] == 204
    memory.kept.clear()
    status, _, body = rig.download(id)
    assert status == 404
    assert b"not in store far" in body


def test_an_image_is_copied_from_one_kind_of_store_to_another(rig: Rig, memory: MemoryStore) -> None:
    id = rig.image()
    assert rig.upload(id, CONTENT)[0] == 204
    body = {"method": {"name": "copy-image"}, "stores": ["file"]}
    assert rig.images.as_admin().post(f"/images/{id}/import", body).status == 202
    wait_until(lambda: rig.images.get(f"/images/{id}").body["stores"] == "far,file")
    assert (rig.paths.images / "file" / id).read_bytes() == CONTENT
    memory.kept.clear()
    removed = rig.images.as_admin().at("/image/v2").delete(f"/stores/far/{id}")
    assert removed.status == 204
    assert rig.download(id)[2] == CONTENT
