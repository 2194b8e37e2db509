"""What transfers took is given back."""

import asyncio
from pathlib import Path

import pytest

from pilvi.live import memory

PIECE_BYTES, PIECES = 200_000, 300
MIB = 1024**2


def anonymous_mib() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024


async def rest(times: int) -> None:
    own = memory.Memory()
    for _ in range(times):
        own.request_ended()
    await asyncio.sleep(0.1)
    own.close()


def test_holes_in_the_heap_go_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LOOK_S", 0.0)
    large = bytearray(16 * MIB)
    del large  # From here on glibc puts smaller ones into its heap.
    pieces: list[bytes] = [b"x" * PIECE_BYTES for _ in range(PIECES)]
    del pieces[::2]
    before = anonymous_mib()
    asyncio.run(rest(times=3))
    assert before - anonymous_mib() > PIECES / 2 * PIECE_BYTES / MIB / 2
    assert len(pieces) == PIECES / 2
