"""Keeps what the formats need to see of the passing bytes, and asks each format."""

from collections.abc import Callable
from typing import Final

from pilvi.image.inspector import disks, qcow2, vhd, vhdx, vmdk
from pilvi.image.inspector.model import Finding, View

HEAD_BYTES: Final = 384 * 1024
"""Holds the headers of every format, both region tables of VHDX and the descriptor of a usual VMDK."""
TAIL_BYTES: Final = 2048
WINDOW_BYTES: Final = 1024 * 1024
SIZES_END: Final = 1 << 63
"""No disk is so large, and no database keeps the number."""

Recognise = Callable[[View], Finding | None]

FORMATS: Final[tuple[Recognise, ...]] = (
    qcow2.recognise,
    vmdk.recognise,
    vhdx.recognise,
    vhd.recognise,
    disks.recognise_vdi,
    disks.recognise_luks,
    disks.recognise_qed,
    disks.recognise_iso,
    disks.recognise_gpt,
)
"""In this order: an ISO that also starts with a partition table is an ISO."""


def locate(head: bytes) -> int:
    """Where in the file, beyond its beginning, the formats want to look; -1 for nowhere."""
    return vhdx.metadata_offset(View(head, b"", len(head)))


def judge(view: View) -> Finding:
    """What the bytes are."""
    for recognise in FORMATS:
        found = recognise(view)
        if found is not None:
            return found if found.virtual_size < SIZES_END else _impossible(found)
    return Finding("raw", view.size)


def _impossible(found: Finding) -> Finding:
    return Finding(found.format, 0, found.problem or "its virtual size is impossible")


class Collector:
    """Takes bytes in order and keeps less than 2 MiB of them, whatever comes. It understands none of them.

    `locate` is asked once, when the beginning is there, and only about what may be VHDX.
    """

    def __init__(self, locate: Callable[[bytes], int]) -> None:
        self.size = 0
        self._locate = locate
        self._head = bytearray()
        self._tail = b""
        self._window = bytearray()
        self._window_at = -1
        self._has_looked = False

    @property
    def kept_bytes(self) -> int:
        return len(self._head) + len(self._tail) + len(self._window)

    def feed(self, chunk: bytes | memoryview) -> None:
        piece = memoryview(chunk)
        start = self.size
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]
        if not self._has_looked and len(self._head) >= HEAD_BYTES:
            self._has_looked = True
            self._look()
        if self._window_at >= 0:
            self._keep_window(piece, start)
        self.size += len(piece)
        if len(piece) >= TAIL_BYTES:
            self._tail = bytes(piece[-TAIL_BYTES:])
        else:
            self._tail = (self._tail + bytes(piece))[-TAIL_BYTES:]

    def _look(self) -> None:
        if self._head.startswith(vhdx.MAGIC):
            self._window_at = self._locate(bytes(self._head))
        if 0 <= self._window_at < len(self._head):
            self._window += self._head[self._window_at :]

    def _keep_window(self, piece: memoryview, start: int) -> None:
        wanted = self._window_at + len(self._window)
        if len(self._window) < WINDOW_BYTES and start <= wanted < start + len(piece):
            skip = wanted - start
            self._window += piece[skip : skip + WINDOW_BYTES - len(self._window)]

    def view(self) -> View:
        return View(bytes(self._head), self._tail, self.size, bytes(self._window), max(self._window_at, 0))


class Inspector(Collector):
    """Collects and judges in this process: for tests and fuzzing. Uploads are judged in `drivers/sandbox.py`."""

    def __init__(self) -> None:
        super().__init__(locate)

    def finish(self) -> Finding:
        return judge(self.view())
