"""A disk whose power can be cut at any write: everything that SQLite writes and syncs is recorded and played back.

What was synced before the cut is there. Of what was written after the last sync of its file, any part may be there, in
any order, and a write may be torn at a sector. (SQLite counts on bytes beside a torn write staying as they are, and so
does this: the disks we are used on promise as much.)
"""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR_BYTES = 512


@dataclass(frozen=True)
class Wrote:
    file: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Cut:
    """The file was cut to this length."""

    file: str
    size: int


@dataclass(frozen=True)
class Synced:
    file: str


@dataclass(frozen=True)
class Deleted:
    file: str


@dataclass(frozen=True)
class Acknowledged:
    """A client was told that this is done: from here on it has to be there."""

    what: str


Entry = Wrote | Cut | Synced | Deleted | Acknowledged


@dataclass
class Record:
    entries: list[Entry] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, entry: Entry) -> None:
        with self.lock:
            self.entries.append(entry)


class RecordingDisk(apsw.VFS):
    """A file system for SQLite, the default one while it is registered; only files of one folder are recorded."""

    def __init__(self, folder: Path, record: Record) -> None:
        self._folder, self._record = folder, record
        super().__init__("recording", base="unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = "" if name is None else name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        is_ours = path.startswith(str(self._folder))
        return _RecordingFile(name, flags, Path(path).name if is_ours else "", self._record)

    def xDelete(self, name: str, syncdir: bool) -> None:
        super().xDelete(name, syncdir)
        if name.startswith(str(self._folder)):
            self._record.add(Deleted(Path(name).name))


class _RecordingFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], known_as: str, record: Record) -> None:
        self._known_as, self._record = known_as, record
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        if self._known_as:
            self._record.add(Wrote(self._known_as, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        if self._known_as:
            self._record.add(Cut(self._known_as, newsize))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        if self._known_as:
            self._record.add(Synced(self._known_as))


def acknowledged(entries: Sequence[Entry]) -> list[str]:
    return [entry.what for entry in entries if isinstance(entry, Acknowledged)]


def after_the_cut(
    before: dict[str, bytes], entries: Sequence[Entry], rng: random.Random, *, lies: bool = False
) -> dict[str, bytes]:
    """What is on the disk when the power goes right after these entries. `lies`: the disk syncs nothing."""
    files = {name: bytearray(data) for name, data in before.items()}
    last_sync: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if isinstance(entry, Synced) and not lies:
            last_sync[entry.file] = number
    pending: list[Entry] = []
    for number, entry in enumerate(entries):
        if isinstance(entry, Acknowledged | Synced):
            continue
        if number <= last_sync.get(entry.file, -1) or isinstance(entry, Deleted):
            _apply(files, entry)
        else:
            pending.append(entry)
    for entry in _survivors(pending, rng):
        _apply(files, entry)
    return {name: bytes(data) for name, data in files.items()}


def _survivors(pending: list[Entry], rng: random.Random) -> list[Entry]:
    """All, none, or any part in any order, torn or whole."""
    kind = rng.choice(("all", "none", "first", "any"))
    if kind == "first":
        pending = pending[: rng.randrange(len(pending) + 1)]
    elif kind == "any":
        pending = [entry for entry in pending if rng.random() < 0.5]
        rng.shuffle(pending)
    elif kind == "none":
        pending = []
    return [_torn(entry, rng) if rng.random() < 0.2 else entry for entry in pending]


def _torn(entry: Entry, rng: random.Random) -> Entry:
    if not isinstance(entry, Wrote):
        return entry
    sectors = range(0, len(entry.data), SECTOR_BYTES)
    return Wrote(entry.file, entry.offset, entry.data[: rng.choice(sectors)])


def _apply(files: dict[str, bytearray], entry: Entry) -> None:
    if isinstance(entry, Wrote) and entry.data:
        data = files.setdefault(entry.file, bytearray())
        if len(data) < entry.offset:
            data.extend(bytes(entry.offset - len(data)))
        data[entry.offset : entry.offset + len(entry.data)] = entry.data
    elif isinstance(entry, Cut):
        data = files.setdefault(entry.file, bytearray())
        del data[entry.size :]
        data.extend(bytes(entry.size - len(data)))
    elif isinstance(entry, Deleted):
        files.pop(entry.file, None)
