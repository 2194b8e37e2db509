"""What every store of images must do. A store passes with `class TestMine(ImageStoreSuite)` and a fixture `store`."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilvi.image.drivers.protocol import HasFiles, ImageStore, StoreFault
from tests.unit.image import samples

ONE, OTHER = "0f2d2b4e-1111-4222-8333-444455556666", "9a3f1c1d-7777-4888-9999-aaaabbbbcccc"
FIRST, SECOND = "a" * 32, "b" * 32
MIB = 1024 * 1024
LARGEST_PIECE = 4 * MIB
LONG = bytes(range(256)) * 12_289
"""Three mebibytes and a bit: more than one piece of any store."""


def put(store: ImageStore, image_id: str, content: bytes, upload_id: str = FIRST) -> None:
    incoming = store.receive(image_id, upload_id)
    for at in range(0, len(content), 100_000):
        incoming.write(content[at : at + 100_000])
    incoming.keep()
    incoming.discard()


def whole(pieces: Iterator[bytes]) -> bytes:
    found = list(pieces)
    assert all(0 < len(piece) <= LARGEST_PIECE for piece in found)
    return b"".join(found)


class ImageStoreSuite:
    # -- arriving --------------------------------------------------------------------------------------------------

    def test_what_was_kept_is_there_whole(self, store: ImageStore) -> None:
        put(store, ONE, LONG)
        assert store.size(ONE) == len(LONG)
        assert whole(store.read(ONE)) == LONG
        assert store.arriving(ONE) == []
        assert set(store.image_ids()) == {ONE}

    def test_an_image_without_bytes_is_an_image(self, store: ImageStore) -> None:
        put(store, ONE, b"")
        assert store.size(ONE) == 0
        assert whole(store.read(ONE)) == b""

    def test_nobody_sees_what_is_arriving(self, store: ImageStore) -> None:
        incoming = store.receive(ONE, FIRST)
        incoming.write(b"half of")
        assert store.size(ONE) is None
        with pytest.raises(StoreFault):
            whole(store.read(ONE))
        assert store.arriving(ONE) == [FIRST]
        assert set(store.image_ids()) == {ONE}
        incoming.discard()

    def test_what_was_given_up_leaves_nothing(self, store: ImageStore) -> None:
        incoming = store.receive(ONE, FIRST)
        incoming.write(LONG)
        incoming.discard()
        incoming.discard()
        assert store.arriving(ONE) == []
        assert set(store.image_ids()) == set()

    def test_to_give_up_undoes_no_keeping(self, store: ImageStore) -> None:
        incoming = store.receive(ONE, FIRST)
        incoming.write(b"kept")
        incoming.keep()
        incoming.discard()
        assert whole(store.read(ONE)) == b"kept"

    def test_a_transfer_that_begins_again_begins_from_nothing(self, store: ImageStore) -> None:
        store.receive(ONE, FIRST).write(b"from before the crash")
        put(store, ONE, b"after it", FIRST)
        assert whole(store.read(ONE)) == b"after it"
        assert store.arriving(ONE) == []

    def test_what_a_dead_process_left_is_found_and_dropped(self, store: ImageStore) -> None:
        store.receive(ONE, FIRST).write(b"nobody")
        store.receive(ONE, SECOND).write(b"comes back")
        assert sorted(store.arriving(ONE)) == [FIRST, SECOND]
        for _ in range(2):
            store.drop(ONE, FIRST)
        assert store.arriving(ONE) == [SECOND]
        store.drop(ONE, SECOND)
        assert set(store.image_ids()) == set()

    def test_an_image_that_is_kept_again_is_the_new_one(self, store: ImageStore) -> None:
        put(store, ONE, b"old and longer")
        put(store, ONE, b"new", SECOND)
        assert (store.size(ONE), whole(store.read(ONE))) == (3, b"new")

    def test_images_do_not_mix(self, store: ImageStore) -> None:
        first, second = store.receive(ONE, FIRST), store.receive(OTHER, FIRST)
        for piece in (b"a", b"b"):
            first.write(piece)
            second.write(piece.upper())
        second.keep()
        first.keep()
        assert (whole(store.read(ONE)), whole(store.read(OTHER))) == (b"ab", b"AB")
        assert set(store.image_ids()) == {ONE, OTHER}

    def test_many_arrive_at_once(self, store: ImageStore) -> None:
        ids = [f"0f2d2b4e-1111-4222-8333-{number:012}" for number in range(8)]
        threads = [threading.Thread(target=put, args=(store, id, id.encode() * 9999, id)) for id in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {id: whole(store.read(id)) == id.encode() * 9999 for id in ids} == dict.fromkeys(ids, True)

    # -- hashes and content ----------------------------------------------------------------------------------------

    def test_bytes_are_hashed_on_their_way(self, store: ImageStore) -> None:
        incoming = store.receive(ONE, FIRST, ["sha256"])
        for at in range(0, len(LONG), MIB):
            incoming.write(memoryview(LONG)[at : at + MIB])
        assert incoming.size == len(LONG)
        assert incoming.md5 == hashlib.md5(LONG).hexdigest()
        assert incoming.sha512 == hashlib.sha512(LONG).hexdigest()
        assert incoming.digests.hex("sha256") == hashlib.sha256(LONG).hexdigest()
        incoming.discard()

    def test_content_is_looked_at_before_it_is_kept(self, store: ImageStore) -> None:
        incoming = store.receive(ONE, FIRST)
        incoming.write(samples.qcow2())
        assert incoming.inspect().format == "qcow2"
        assert store.size(ONE) is None
        incoming.discard()

    # -- reading ---------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(("start", "length"), [(0, 10), (5, None), (MIB - 1, 2), (len(LONG) - 3, 100), (7, 0)])
    def test_a_part_can_be_read(self, store: ImageStore, start: int, length: int | None) -> None:
        put(store, ONE, LONG)
        assert whole(store.read(ONE, start, length)) == LONG[start : None if length is None else start + length]

    def test_what_is_not_there_is_said_so(self, store: ImageStore) -> None:
        assert store.size(ONE) is None
        with pytest.raises(StoreFault, match=ONE):
            whole(store.read(ONE))

    def test_a_reader_never_gets_a_mixture(self, store: ImageStore) -> None:
        put(store, ONE, b"1" * len(LONG))
        pieces = store.read(ONE)
        begun = next(pieces)
        put(store, ONE, b"2" * len(LONG), SECOND)
        try:
            found = begun + whole(pieces)
        except StoreFault:
            return
        assert found == b"1" * len(LONG)

    # -- going -----------------------------------------------------------------------------------------------------

    def test_a_deleted_image_is_gone_and_may_be_deleted_again(self, store: ImageStore) -> None:
        put(store, ONE, b"bytes")
        put(store, OTHER, b"others")
        for _ in range(2):
            store.delete(ONE)
        assert store.size(ONE) is None
        assert whole(store.read(OTHER)) == b"others"
        assert set(store.image_ids()) == {OTHER}

    def test_to_delete_leaves_what_arrives(self, store: ImageStore) -> None:
        put(store, ONE, b"old")
        incoming = store.receive(ONE, SECOND)
        incoming.write(b"new")
        store.delete(ONE)
        assert store.size(ONE) is None
        incoming.keep()
        assert whole(store.read(ONE)) == b"new"

    def test_an_empty_store_has_nothing(self, store: ImageStore) -> None:
        assert list(store.image_ids()) == []
        assert store.arriving(ONE) == []
        store.delete(ONE)
        store.drop(ONE, FIRST)

    # -- files, where it has some ----------------------------------------------------------------------------------

    def test_a_file_of_a_kept_image_has_its_bytes(self, store: ImageStore) -> None:
        if not isinstance(store, HasFiles):
            put(store, ONE, b"x")
            assert not Path(ONE).exists()
            return
        assert not store.path(ONE).exists()
        put(store, ONE, LONG)
        assert store.path(ONE).read_bytes() == LONG
