"""Images as files of one directory. A file has its final name only when it is whole and on the disk."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pilvi.image.drivers.protocol import StoreFault
from pilvi.image.drivers.reading import Reading

PART: Final = ".part"
COPY_BYTES: Final = 1024 * 1024


class Sink(Reading):
    """Takes bytes into a temporary file, too. Blocking: call it in a thread."""

    def __init__(self, target: Path, upload_id: str, also: Iterable[str] = ()) -> None:
        super().__init__(also)
        self._target = target
        self._part = _part_of(target, upload_id)
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


def _part_of(target: Path, upload_id: str) -> Path:
    return target.with_name(f"{target.name}.{upload_id}{PART}")


class FileStore:
    """One directory of images, named by their ids; what arrives stands beside them under a longer name."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def receive(self, image_id: str, upload_id: str, also: Iterable[str] = ()) -> Sink:
        return Sink(self.path(image_id), upload_id, also)

    def path(self, image_id: str) -> Path:
        return self.directory / image_id

    def size(self, image_id: str) -> int | None:
        try:
            return self.path(image_id).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, image_id: str) -> None:
        self.path(image_id).unlink(missing_ok=True)

    def arriving(self, image_id: str) -> list[str]:
        found = self.directory.glob(f"{image_id}.*{PART}")
        return [path.name.removesuffix(PART).rpartition(".")[2] for path in found]

    def drop(self, image_id: str, upload_id: str) -> None:
        _part_of(self.path(image_id), upload_id).unlink(missing_ok=True)

    def image_ids(self) -> Iterator[str]:
        if self.directory.is_dir():
            for name in os.listdir(self.directory):  # noqa: PTH208 names are all that is wanted
                yield name.partition(".")[0]

    def remove(self, image_id: str) -> None:
        """The file, and what was begun of it."""
        self.delete(image_id)
        for upload_id in self.arriving(image_id):
            self.drop(image_id, upload_id)

    def read(self, image_id: str, start: int = 0, length: int | None = None, /) -> Iterator[bytes]:
        try:
            file = self.path(image_id).open("rb")
        except FileNotFoundError:
            raise StoreFault(f"The data of image {image_id} is not in its store.") from None
        with file:
            left = os.fstat(file.fileno()).st_size - start
            left = left if length is None else min(left, length)
            file.seek(start)
            while left > 0:
                chunk = file.read(min(COPY_BYTES, left))
                if not chunk:
                    raise StoreFault(f"The data of image {image_id} ends early.")
                left -= len(chunk)
                yield chunk
