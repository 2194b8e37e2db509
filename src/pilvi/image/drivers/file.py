"""Images as files of one directory. A file has its final name only when it is whole and on the disk."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pilvi.image.inspector import Finding, Inspector

PART: Final = ".part"
COPY_BYTES: Final = 1024 * 1024


class Sink:
    """Takes bytes into a temporary file; hashes and inspects them on the way. Blocking: call it in a thread."""

    def __init__(self, target: Path, upload_id: str) -> None:
        self.size = 0
        self._target = target
        self._part = target.with_name(f"{target.name}.{upload_id}{PART}")
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha512 = hashlib.sha512()
        self._inspector = Inspector()
        self._part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, chunk: bytes | memoryview) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._md5.update(chunk)
        self._sha512.update(chunk)
        self._inspector.feed(chunk)
        self.size += len(chunk)

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    @property
    def sha512(self) -> str:
        return self._sha512.hexdigest()

    def inspect(self) -> Finding:
        return self._inspector.finish()

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

    def receive(self, image_id: str, upload_id: str) -> Sink:
        return Sink(self.path(image_id), upload_id)

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
