"""Bytes of an image on their way: hashed and looked at, whatever becomes of them."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from pilvi.image.drivers import sandbox
from pilvi.image.inspector import Collector, Finding

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
