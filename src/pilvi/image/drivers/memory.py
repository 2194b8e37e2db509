"""Images in memory: the twin of the stores, for tests and for those who write another one."""

import threading
from collections.abc import Iterable, Iterator

from pilvi.image.drivers.protocol import StoreFault
from pilvi.image.drivers.reading import Reading

PIECE_BYTES = 64 * 1024


class MemoryStore:
    """Has no files, so that whatever works with it needs none."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: dict[str, bytes] = {}
        self.parts: dict[tuple[str, str], bytearray] = {}

    def receive(self, image_id: str, upload_id: str, also: Iterable[str] = ()) -> "MemorySink":
        return MemorySink(self, (image_id, upload_id), also)

    def size(self, image_id: str) -> int | None:
        found = self.kept.get(image_id)
        return None if found is None else len(found)

    def read(self, image_id: str, start: int = 0, length: int | None = None, /) -> Iterator[bytes]:
        found = self.kept.get(image_id)
        if found is None:
            raise StoreFault(f"The data of image {image_id} is not in its store.")
        end = len(found) if length is None else min(len(found), start + length)
        for at in range(start, end, PIECE_BYTES):
            yield found[at : min(at + PIECE_BYTES, end)]

    def delete(self, image_id: str) -> None:
        self.kept.pop(image_id, None)

    def arriving(self, image_id: str) -> list[str]:
        with self.lock:
            return [upload_id for id, upload_id in self.parts if id == image_id]

    def drop(self, image_id: str, upload_id: str) -> None:
        with self.lock:
            self.parts.pop((image_id, upload_id), None)

    def image_ids(self) -> Iterator[str]:
        with self.lock:
            found = [*self.kept, *(image_id for image_id, _ in self.parts)]
        yield from found


class MemorySink(Reading):
    def __init__(self, store: MemoryStore, key: tuple[str, str], also: Iterable[str]) -> None:
        super().__init__(also)
        self._store = store
        self._key = key
        with store.lock:
            store.parts[key] = self._bytes = bytearray()

    def write(self, chunk: bytes | memoryview) -> None:
        super().write(chunk)
        self._bytes += chunk

    def keep(self) -> None:
        with self._store.lock:
            self._store.kept[self._key[0]] = bytes(self._bytes)
            self._store.parts.pop(self._key, None)

    def discard(self) -> None:
        with self._store.lock:
            if self._store.parts.get(self._key) is self._bytes:
                del self._store.parts[self._key]
