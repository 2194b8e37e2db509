"""Each store of images against the suite of its protocol; and readers of other people's places as far as they go."""

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from pilvi.image.drivers import DRIVERS, open_store
from pilvi.image.drivers.file import FileStore
from pilvi.image.drivers.memory import MemoryStore
from pilvi.image.drivers.protocol import ImageStore, Readable, StoreFault
from pilvi.image.drivers.web import WebReader
from tests.contract.drivers.image_store_suite import FIRST, LARGEST_PIECE, LONG, ONE, ImageStoreSuite, put


class TestFiles(ImageStoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ImageStore:
        return open_store("file", tmp_path / "images")

    def test_a_file_cut_short_is_told_not_passed_on(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path)
        put(store, ONE, LONG)
        pieces = store.read(ONE)
        next(pieces)
        os.truncate(store.path(ONE), 2_000_000)
        with pytest.raises(StoreFault, match="ends early"):
            list(pieces)

    def test_files_are_their_owners_alone(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path / "images")
        put(store, ONE, b"x")
        assert store.path(ONE).stat().st_mode & 0o777 == 0o600
        assert store.directory.stat().st_mode & 0o777 == 0o700


class TestMemory(ImageStoreSuite):
    @pytest.fixture
    def store(self) -> ImageStore:
        return MemoryStore()


def test_every_driver_can_be_opened_and_is_one_per_place(tmp_path: Path) -> None:
    for name in DRIVERS:
        assert list(open_store(name, tmp_path / name).image_ids()) == []
        assert open_store(name, tmp_path / name) is open_store(name, tmp_path / name)


# -- what can only be read ---------------------------------------------------------------------------------------------


class Place(Protocol):
    """A place that has some bytes under a name."""

    reader: Readable

    def put(self, content: bytes) -> str: ...


class InStore:
    def __init__(self, store: ImageStore) -> None:
        self.reader: Readable = store
        self._store = store

    def put(self, content: bytes) -> str:
        put(self._store, ONE, content, FIRST)
        return ONE


class AtWebServer:
    def __init__(self, folder: Path, address: str) -> None:
        self.reader: Readable = WebReader(frozenset({address}), 2 * len(LONG))
        self._folder, self._address = folder, address

    def put(self, content: bytes) -> str:
        (self._folder / "image").write_bytes(content)
        return f"http://{self._address}/image"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(params=["file", "memory", "web"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param != "web":
        yield InStore(FileStore(tmp_path) if request.param == "file" else MemoryStore())
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield AtWebServer(tmp_path, f"127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()


def test_every_reader_gives_all_bytes_in_pieces(place: Place) -> None:
    pieces = list(place.reader.read(place.put(LONG)))
    assert b"".join(pieces) == LONG
    assert max(map(len, pieces)) <= LARGEST_PIECE


def test_every_reader_can_be_read_again_and_at_once(place: Place) -> None:
    name = place.put(LONG)
    first, second = place.reader.read(name), place.reader.read(name)
    begun = next(first)
    assert b"".join(second) == LONG
    assert begun + b"".join(first) == LONG


def test_every_reader_says_what_it_cannot_give(place: Place) -> None:
    name = place.put(b"x")
    missing = name.replace("image", "none") if "image" in name else "9a3f1c1d-7777-4888-9999-aaaabbbbcccc"
    with pytest.raises(StoreFault) as told:
        list(place.reader.read(missing))
    assert str(told.value)


def test_a_reader_of_the_web_goes_nowhere_else_and_takes_no_more(tmp_path: Path) -> None:
    with pytest.raises(StoreFault):
        list(WebReader(frozenset(), 10).read("http://127.0.0.1:1/image"))
