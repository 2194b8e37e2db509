"""`live` was killed while bytes came in: its next run gives up at once what the last one held."""

from collections.abc import Iterator
from typing import Any

import pytest

from pilvi.identity import facade as identity
from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import Holder, holder_on
from pilvi.image.images import service as images
from pilvi.image.imports import service as imports
from pilvi.image.stores.model import stores_of
from pilvi.image.tasks import service as tasks
from pilvi.kernel.config import Secret
from pilvi.kernel.context import internal
from pilvi.kernel.db import connect
from pilvi.live.server import LiveServer
from tests.integration.live.rig import SECRET, Rig, running
from tests.integration.live.test_image_streams import wait_until


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running() as made:
        yield made


def half_way(rig: Rig, holder: Holder, *, stage: bool = False) -> str:
    """An upload that is under way in this run of `live`, with a part of its bytes on the disk."""
    id, ctx = rig.image(), internal("req-test")
    transfer = rig.database.write(
        lambda tx: image_data.begin(ctx, tx, id, store="file", stage=stage, holder=holder.text)
    )  # fmt: skip
    folder = stores_of(rig.config).staging if stage else rig.store.directory
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{id}.{transfer.upload_id}.part").write_bytes(b"half")
    return id


def files(rig: Rig, id: str) -> list[Any]:
    stores = stores_of(rig.config)
    return [path for folder in (rig.store.directory, stores.staging) for path in folder.glob(f"{id}*")]


def start_again(rig: Rig) -> None:
    """As the supervisor does after a kill: a new run over the same files and rows."""
    rig.run(rig.server.stop())
    begin_again(rig)


def begin_again(rig: Rig) -> None:
    rig.server = LiveServer(rig.config, connect(str(rig.paths.database)), identity.authenticate, Secret(SECRET))
    rig.run(rig.server.start())


@pytest.mark.parametrize("stage", [False, True])
def test_the_image_is_queued_without_a_file_when_the_next_run_serves(rig: Rig, stage: bool) -> None:
    id = half_way(rig, holder_on(rig.config.host, "deadbeef"), stage=stage)
    assert (rig.status_of(id), len(files(rig, id))) == ("uploading" if stage else "saving", 1)
    start_again(rig)
    assert (rig.status_of(id), files(rig, id)) == ("queued", [])
    assert rig.upload(id, b"again")[0] == 204


def test_what_another_host_holds_is_left_alone(rig: Rig) -> None:
    id = half_way(rig, holder_on("another", "deadbeef"))
    start_again(rig)
    assert (rig.status_of(id), len(files(rig, id))) == ("saving", 1)


def test_what_was_staged_waits_on(rig: Rig) -> None:
    id = rig.image()
    assert rig.upload(id, b"staged", what="stage")[0] == 204
    start_again(rig)
    assert (rig.status_of(id), len(files(rig, id))) == ("uploading", 1)


def test_an_import_begins_anew_at_once(rig: Rig) -> None:
    """Its lease would last for minutes."""
    id = rig.image()
    rig.upload(id, b"staged", what="stage")
    old = holder_on(rig.config.host, "deadbeef")
    rig.run(rig.server.stop())
    rig.images.post(f"/images/{id}/import", {"method": {"name": "glance-direct"}})
    task = rig.database.read(lambda tx: tasks.of_image(tx, id))[0]
    assert rig.database.write(lambda tx: imports.claim(tx, task, old.text)) is not None
    begin_again(rig)
    wait_until(lambda: rig.status_of(id) == "active")
    image = rig.database.read(lambda tx: images.find(tx, id))
    assert image is not None
    assert image.upload_id == ""
