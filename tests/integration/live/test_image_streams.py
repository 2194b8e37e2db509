"""Bytes of images through a real `live`: whole, in ranges, broken off, refused."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from pilvi.image.image_data import reconcile, stream
from pilvi.image.image_data import service as image_data
from pilvi.image.images.service import DATA_WORK
from pilvi.image.stores.model import stores_of
from pilvi.kernel import clock, facts, work
from pilvi.kernel.errors import Unavailable
from tests.integration.live.rig import Rig, running
from tests.unit.image.samples import qcow2

SLOW_CLIENTS = 200


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running() as made:
        yield made


def wait_until(condition: object, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)


def assert_untouched(rig: Rig, id: str) -> None:
    """Queued, without a file, and ready for another try."""
    wait_until(lambda: rig.status_of(id) == "queued")
    wait_until(lambda: not list(rig.store.directory.glob(f"{id}*")))
    assert rig.upload(id, b"again")[0] in (204, 415)


def store_steps(rig: Rig, id: str) -> list[tuple[str, str]]:
    """What the store was asked to do for an image, and how it ended."""
    events = rig.database.read(lambda tx: facts.of(tx, id))
    found = [event for event in events if event.step.startswith(("image store", "image inspect"))]
    assert all(event.duration_ms is not None and event.duration_ms >= 0 for event in found)
    return [(event.step, event.outcome) for event in found]


def test_a_database_that_is_not_heard_costs_no_bytes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image became active, and only the answer was lost: its file is not taken for that of a broken upload."""
    id, process = rig.image(), rig.server.process
    finish, write = image_data.finish, process.write
    finished: list[bool] = []

    def finishing(*arguments: object, **more: object) -> None:
        finish(*arguments, **more)  # type: ignore[arg-type]
        finished.append(True)

    async def unheard(work: object) -> object:
        before = len(finished)
        found = await write(work)  # type: ignore[arg-type]
        if len(finished) > before:
            raise Unavailable("The database cannot be reached; try again.")
        return found

    monkeypatch.setattr(image_data, "finish", finishing)
    monkeypatch.setattr(process, "write", unheard)
    assert rig.upload(id, b"content")[0] == 503
    assert rig.status_of(id) == "active"
    assert rig.download(id)[2] == b"content"


@pytest.mark.parametrize("size", [0, 1, 1024, 5_000_000])
def test_what_went_in_comes_out(rig: Rig, size: int) -> None:
    id, content = rig.image(), os.urandom(size)
    assert rig.upload(id, content) == (204, b"")
    shown = rig.images.get(f"/images/{id}").body
    assert (shown["status"], shown["size"], shown["virtual_size"]) == ("active", size, size)
    assert shown["checksum"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert (shown["os_hash_algo"], shown["os_hash_value"]) == ("sha512", hashlib.sha512(content).hexdigest())
    status, headers, received = rig.download(id)
    assert (status, received) == (200, content)
    assert headers["content-md5"] == shown["checksum"]
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-length"] == str(size)
    assert store_steps(rig, id) == [
        ("image store receive", "done"), ("image inspect", "done"), ("image store keep", "done"),
    ]  # fmt: skip


def test_a_chunked_upload_is_taken(rig: Rig) -> None:
    id = rig.image()
    assert rig.upload(id, iter([b"abc", b"def" * 1000]))[0] == 204
    assert rig.download(id)[2] == b"abc" + b"def" * 1000


def test_a_range_is_answered_with_that_part(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"0123456789")
    assert rig.download(id, Range="bytes=2-4")[::2] == (206, b"234")
    status, headers, content = rig.download(id, Range="bytes=-3")
    assert (status, headers["content-range"], content) == (206, "bytes 7-9/10", b"789")
    assert rig.download(id, Range="bytes=50-60")[0] == 416


def test_an_image_without_data_has_nothing_to_read(rig: Rig) -> None:
    assert rig.download(rig.image())[::2] == (204, b"")


def test_a_deactivated_image_is_read_by_administrators_only(rig: Rig) -> None:
    id = rig.image()
    rig.upload(id, b"x")
    rig.images.post(f"/images/{id}/actions/deactivate")
    assert rig.download(id)[0] == 403
    assert rig.download(id, who="admin")[0] == 200


def test_rights_are_those_of_the_api(rig: Rig) -> None:
    id = rig.image(visibility="private")
    assert rig.upload(id, b"x", who=None)[0] == 401
    assert rig.upload(id, b"x", who="reader")[0] == 403
    assert rig.upload(id, b"x", who="stranger")[0] == 404
    assert rig.upload("00000000-1111-4222-8333-444455556666", b"x")[0] == 404
    assert rig.upload(id, b"x")[0] == 204
    assert rig.download(id, who="reader")[0] == 403
    assert rig.download(id, who="stranger")[0] == 404


def test_an_upload_needs_formats_a_media_type_and_a_queued_image(rig: Rig) -> None:
    bare = str(rig.images.post("/images", {}).body["id"])
    assert rig.upload(bare, b"x")[0] == 400
    id = rig.image()
    assert rig.upload(id, b"x", Content_Type="application/json")[0] == 415
    assert rig.upload(id, b"x", X_Image_Meta_Store="elsewhere")[0] == 400
    assert rig.upload(id, b"x")[0] == 204
    assert rig.upload(id, b"x")[0] == 409


def test_too_large_an_upload_is_refused_before_it_is_read(rig: Rig) -> None:
    id = rig.image()
    with rig.begin_upload(id, f"Content-Length: {2**50}", b"x") as connection:
        assert b" 413 " in connection.recv(200)
    assert_untouched(rig, id)


def test_too_large_a_stream_is_stopped(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.server.images, "largest_bytes", 1000)
    id = rig.image()
    assert rig.upload(id, iter([b"x" * 600, b"x" * 600]))[0] == 413
    assert_untouched(rig, id)


def test_an_upload_that_breaks_off_leaves_nothing(rig: Rig) -> None:
    id = rig.image()
    with rig.begin_upload(id, "Content-Length: 1000000", b"x" * 100_000):
        wait_until(lambda: rig.status_of(id) == "saving")
    assert_untouched(rig, id)
    assert store_steps(rig, id)[0] == ("image store receive", "failed")


def test_an_upload_that_stalls_is_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "IDLE_S", 0.5)
    id = rig.image()
    with rig.begin_upload(id, "Content-Length: 1000", b"x") as connection:
        assert b" 400 " in connection.recv(200)
    assert_untouched(rig, id)


@pytest.mark.parametrize(
    ("disk_format", "content"),
    [
        ("qcow2", os.urandom(4096)),
        ("raw", qcow2()),
        ("qcow2", qcow2(backing=b"/etc/passwd")),
        ("qcow2", qcow2(features=0b100)),
        ("vmdk", b"# Disk DescriptorFile\n"),
        ("iso", b"x" * 100_000),
    ],
)
def test_content_that_is_not_what_it_says_or_names_other_files_is_refused(
    rig: Rig, disk_format: str, content: bytes
) -> None:
    id = rig.image(disk_format=disk_format)
    status, answer = rig.upload(id, content)
    assert status == 415
    assert b"message" in answer
    assert_untouched(rig, id)


def test_the_virtual_size_of_a_qcow2_is_shown(rig: Rig) -> None:
    id = rig.image(disk_format="qcow2")
    assert rig.upload(id, qcow2(virtual_size=7 * 2**30))[0] == 204
    assert rig.images.get(f"/images/{id}").body["virtual_size"] == 7 * 2**30


def test_an_image_deleted_while_its_data_comes_in_leaves_nothing(rig: Rig) -> None:
    id = rig.image()
    with rig.begin_upload(id, "Content-Length: 10", b"01234") as connection:
        wait_until(lambda: rig.status_of(id) == "saving")
        assert rig.images.delete(f"/images/{id}").status == 204
        connection.sendall(b"56789")
        assert b" 410 " in connection.recv(200)
    wait_until(lambda: not list(rig.store.directory.glob(f"{id}*")))


def test_staged_data_waits_and_is_not_readable(rig: Rig) -> None:
    id = rig.image()
    assert rig.upload(id, b"staged", what="stage")[0] == 204
    assert rig.status_of(id) == "uploading"
    assert rig.download(id)[0] == 204
    assert rig.upload(id, b"x")[0] == 409
    assert (stores_of(rig.config).staging / id).read_bytes() == b"staged"


def test_the_loop_frees_an_image_whose_receiver_died_and_removes_its_bytes(rig: Rig) -> None:
    id, stores = rig.image(), stores_of(rig.config)
    from pilvi.kernel.context import internal

    transfer = rig.database.write(lambda tx: image_data.begin(internal("req-x"), tx, id, store="file"))
    sink = rig.store.receive(id, transfer.upload_id)
    sink.write(b"half")
    reconcile.tidy(rig.database, stores, id)
    assert rig.status_of(id) == "saving", "a living transfer is left alone"
    former = clock.use(_Later())
    try:
        assert id in rig.database.read(lambda tx: reconcile.find_untidy(tx, stores))
        reconcile.tidy(rig.database, stores, id)
    finally:
        clock.use(former)
        sink.discard()
    assert_untouched(rig, id)


def tidied(rig: Rig, id: str) -> None:
    """As the loop of `api` does once it is poked, which it must have been."""
    kinds = sa.select(work.work.c.kind).where(work.work.c.key == id)
    assert DATA_WORK in rig.database.read(lambda tx: tx.scalars(kinds))
    reconcile.tidy(rig.database, stores_of(rig.config), id)


def test_whoever_dies_between_giving_up_and_removing_leaves_it_to_the_loop(rig: Rig) -> None:
    from pilvi.kernel.context import internal

    id, ctx = rig.image(), internal("req-x")
    transfer = rig.database.write(lambda tx: image_data.begin(ctx, tx, id, store="file"))
    sink = rig.store.receive(id, transfer.upload_id)
    sink.write(b"half")
    rig.database.write(lambda tx: image_data.give_up(ctx, tx, transfer, "it died"))
    tidied(rig, id)
    sink.discard()
    assert_untouched(rig, id)


class _Later(clock.SystemClock):
    def now(self) -> float:
        return super().now() + 1000


def test_the_loop_removes_files_that_no_image_has(rig: Rig) -> None:
    stores = stores_of(rig.config)
    kept, gone = rig.image(), rig.image()
    for id in (kept, gone):
        assert rig.upload(id, b"x")[0] == 204
    rig.images.delete(f"/images/{gone}")
    assert gone in rig.database.read(lambda tx: reconcile.find_untidy(tx, stores))
    for id in (kept, gone, gone):
        reconcile.tidy(rig.database, stores, id)
    events = rig.database.read(lambda tx: facts.of(tx, gone))
    assert [e.outcome for e in events if e.step == "image store delete"] == ["done"], (
        "once, and none for a turn in vain"
    )
    assert events[-1].request_id == next(e.request_id for e in events if "DELETE" in e.step)
    assert rig.store.path(kept).exists()
    assert not rig.store.path(gone).exists()


def test_two_hundred_stalled_uploads_and_unread_downloads_harm_nobody(rig: Rig) -> None:
    ids = [rig.image() for _ in range(SLOW_CLIENTS)]
    large = rig.image()
    rig.upload(large, b"x" * 20_000_000)
    stalled: list[socket.socket] = [rig.begin_upload(id, "Content-Length: 9999999", b"x" * 1000) for id in ids]
    for _ in range(SLOW_CLIENTS // 2):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(rig.paths.live_socket))
        token = rig.images.tokens["member"]
        connection.sendall(
            f"GET /image/v2/images/{large}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n\r\n".encode()
        )
        stalled.append(connection)
    try:
        wait_until(lambda: rig.status_of(ids[-1]) == "saving")
        for _ in range(20):  # Each within the half minute of its connection; those who stand still have longer.
            id = rig.image()
            assert rig.upload(id, b"small")[0] == 204
            assert rig.download(id)[2] == b"small"
    finally:
        for connection in stalled:
            connection.close()
    wait_until(lambda: all(rig.status_of(id) == "queued" for id in ids))


def test_many_uploads_at_once_end_right(rig: Rig) -> None:
    content = {rig.image(): os.urandom(300_000) for _ in range(16)}
    results: dict[str, int] = {}
    threads = [
        threading.Thread(target=lambda i=id, c=c: results.update({i: rig.upload(i, c)[0]})) for id, c in content.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(results.values()) == {204}
    assert all(rig.download(id)[2] == c for id, c in content.items())
