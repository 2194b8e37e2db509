"""The console log: the last 256 KiB of what a guest wrote to its serial port.

QEMU itself keeps the newest output in a ring of that size, whether an agent runs or not, and never makes the guest
wait. Here that ring is emptied into a file before it is shown and before the process ends.
"""

import base64
from pathlib import Path
from typing import Final

from pilvi.compute.drivers.qemu.argv import CONSOLE_RING, CONSOLE_RING_BYTES
from pilvi.compute.drivers.qemu.qmp import Qmp
from pilvi.compute.drivers.qemu.record import replace_file

FILE: Final = "console.log"
MOST_BYTES: Final = 256 * 1024
_CHUNK_BYTES: Final = 64 * 1024


def drain(directory: Path, qmp: Qmp) -> None:
    """Moves what is new from the process to the file. Bounded: a guest that never stops writing is left at the ring."""
    fresh = b""
    for _ in range(CONSOLE_RING_BYTES // _CHUNK_BYTES):
        text = qmp.execute("ringbuf-read", device=CONSOLE_RING, size=_CHUNK_BYTES, format="base64")
        chunk = base64.b64decode(text)
        fresh += chunk
        if len(chunk) < _CHUNK_BYTES:
            break
    if fresh:
        append(directory, fresh)


def append(directory: Path, fresh: bytes) -> None:
    """The file grows to twice the bound before it is rewritten: a chatty guest does not cost a copy each time."""
    path = directory / FILE
    size = path.stat().st_size if path.exists() else 0
    if size + len(fresh) > 2 * MOST_BYTES:
        replace_file(path, (path.read_bytes() + fresh)[-MOST_BYTES:])
        return
    with path.open("ab") as file:
        path.chmod(0o600)
        file.write(fresh)


def tail(directory: Path, max_bytes: int) -> bytes:
    try:
        return (directory / FILE).read_bytes()[-min(max_bytes, MOST_BYTES) :]
    except FileNotFoundError:
        return b""
