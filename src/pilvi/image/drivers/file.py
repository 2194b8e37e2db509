"""Images as files of one directory. A file has its final name only when it is whole and on the disk."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pilvi.image.drivers import sandbox
from pilvi.image.drivers.sandbox import InspectionFailed
from pilvi.image.inspector import Collector, Finding

__all__ = ["Digests", "FileStore", "InspectionFailed", "Reading", "Sink"]

PART: Final = ".part"
COPY_BYTES: Final = 1024 * 1024
WORTH_A_THREAD_BYTES: Final = 64 * 1024
HASHING_THREADS: Final = 4

_hashing = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="hashing")


class Digests:
    """Hashes of the passing bytes, each in a thread of its own where that pays. Blocking: call it in a thread."""

    def __init__(self, names: Iterable[str]) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
        self._running: list[Future[None]] = []

    def update(self, chunk: bytes | memoryview) -> None:
        """Goes on hashing after it returned: the bytes must stay as they are."""
        self._settle()
        if len(chunk) < WORTH_A_THREAD_BYTES:
            for one in self._hashes.values():
                one.update(chunk)
        else:
            self._running = [_hashing.submit(one.update, chunk) for one in self._hashes.values()]

    def _settle(self) -> None:
        for future in self._running:
            future.result()
        self._running = []

    def hex(self, name: str) -> str:
        self._settle()
        return self._hashes[name].hexdigest()


class Reading:
    """Takes bytes in order, hashes them and has them inspected. What it takes is not kept."""

    def __init__(self, also: Iterable[str] = ()) -> None:
        self.size = 0
        self.digests = Digests({"md5", "sha512", *also})
        self._collector = Collector(sandbox.shared.locate)

    def write(self, chunk: bytes | memoryview) -> None:
        self.digests.update(chunk)
        self._collector.feed(chunk)
        self.size += len(chunk)

    @property
    def md5(self) -> str:
        return self.digests.hex("md5")

    @property
    def sha512(self) -> str:
        return self.digests.hex("sha512")

    def inspect(self) -> Finding:
        """Raises InspectionFailed."""
        return sandbox.shared.judge(self._collector.view())


class Sink(Reading):
    """Takes bytes into a temporary file, too. Blocking: call it in a thread."""

    def __init__(self, target: Path, upload_id: str, also: Iterable[str] = ()) -> None:
        super().__init__(also)
        self._target = target
        self._part = target.with_name(f"{target.name}.{upload_id}{PART}")
        self._part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, chunk: bytes | memoryview) -> None:
        super().write(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def keep(self) -> None:
        """The bytes are whole: make them durable, then give the file its name."""
        os.fsync(self._file)
        self._close()
        self._part.replace(self._target)
        _sync(self._target.parent)

    def discard(self) -> None:
        """Leave nothing behind. May be called at any time, again too."""
        self._close()
        self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class FileStore:
    """One directory of images, named by their ids."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def receive(self, image_id: str, upload_id: str, also: Iterable[str] = ()) -> Sink:
        """A place for new bytes. `also` names further hashes to take of them."""
        return Sink(self.path(image_id), upload_id, also)

    def path(self, image_id: str) -> Path:
        return self.directory / image_id

    def has(self, image_id: str) -> bool:
        return self.path(image_id).exists()

    def delete(self, image_id: str) -> None:
        self.path(image_id).unlink(missing_ok=True)

    def parts(self, image_id: str) -> list[tuple[Path, str]]:
        """Unfinished files of an image, with the transfers that they belong to."""
        found = self.directory.glob(f"{image_id}.*{PART}")
        return [(path, path.name.removesuffix(PART).rpartition(".")[2]) for path in found]

    def image_ids(self) -> Iterator[str]:
        """Every image that has a file here, unfinished ones included."""
        if self.directory.is_dir():
            for name in os.listdir(self.directory):  # noqa: PTH208 names are all that is wanted
                yield name.partition(".")[0]

    def remove(self, image_id: str) -> None:
        """The file, and what was begun of it."""
        self.delete(image_id)
        for path, _ in self.parts(image_id):
            path.unlink(missing_ok=True)

    def read(self, image_id: str) -> Iterator[bytes]:
        with self.path(image_id).open("rb") as file:
            while chunk := file.read(COPY_BYTES):
                yield chunk
