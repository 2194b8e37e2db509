"""The logs of all processes as one searchable thing: an index beside them, brought up to date by whoever reads.

Writers know nothing of it. `log/index.db` holds words, times and places of lines, not the lines; it is bounded as the
logs are (8 MiB a file, four kept per process), forgets a line with its file, and may be deleted at any time.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw
import orjson

from pilvi.kernel import clock

NAME: Final = "index.db"
CHUNK_BYTES: Final = 1024 * 1024
HEAD_BYTES: Final = 64
BUSY_MS: Final = 30_000
VERSION: Final = 1
_LOG: Final = re.compile(r"([a-z]+)\.(?:log|out)(?:\.\d+)?")

_SCHEMA: Final = f"""
pragma user_version={VERSION};
create table files (inode integer primary key, done integer not null, head blob not null);
create table lines (
    id integer primary key, inode integer not null, place integer not null, length integer not null, at real not null,
    process text not null, level text not null, request_id text not null
);
create index lines_by_inode on lines (inode);
create index lines_by_time on lines (at);
create index lines_by_request on lines (request_id, at) where request_id != '';
create virtual table words using fts5(text, content='', contentless_delete=1);
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which lines. Empty means any."""

    text: str = ""
    request_id: str = ""
    process: str = ""
    level: str = ""
    since: float = 0.0
    after_id: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    process: str
    at: float
    raw: bytes
    """As it was written, without the newline."""


class LogIndex:
    """One per command. Several may be open at once; they take turns at bringing it up to date."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / NAME
        self._paths: dict[int, Path] = {}
        self._connection = self._open()

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> apsw.Connection:
        """A broken index, or one of another release, is made anew."""
        try:
            connection = _connect(self._path)
            version = next(iter(connection.execute("pragma user_version")))[0]
            connection.execute("select count(*) from sqlite_schema").fetchall()
        except (apsw.NotADBError, apsw.CorruptError):
            version = -1
        if version == VERSION:
            return connection
        if version != 0:
            for name in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
                (self._directory / name).unlink(missing_ok=True)
            connection = _connect(self._path)
        connection.execute("begin immediate")
        if next(iter(connection.execute("pragma user_version")))[0] == 0:
            connection.execute(_SCHEMA)
        connection.execute("commit")
        return connection

    # -- bringing up to date ---------------------------------------------------------------------------------------

    def refresh(self) -> int:
        """Take in what was written since. Returns how many lines came."""
        present = {path.stat().st_ino: path for path in self._files()}
        self._paths = present
        run = self._connection.execute
        run("begin immediate")
        try:
            known = {inode: (done, head) for inode, done, head in run("select inode, done, head from files")}
            for inode in known.keys() - present.keys():
                self._forget(inode)
            # Older files first, so that ids grow with time.
            order = sorted(present.items(), key=lambda entry: entry[1].stat().st_mtime)
            came = sum(self._take(inode, path, *known.get(inode, (0, b""))) for inode, path in order)
            run("commit")
        except BaseException:
            run("rollback")
            raise
        return came

    def _files(self) -> list[Path]:
        return [path for path in self._directory.iterdir() if path.is_file() and _LOG.fullmatch(path.name)]

    def _forget(self, inode: int) -> None:
        run = self._connection.execute
        run("delete from words where rowid in (select id from lines where inode = ?)", (inode,))
        run("delete from lines where inode = ?", (inode,))
        run("delete from files where inode = ?", (inode,))

    def _take(self, inode: int, path: Path, done: int, head: bytes) -> int:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return 0  # Turned over this very moment; the next reader finds it under its new name.
        with file:
            status = os.fstat(file.fileno())
            if status.st_ino != inode:
                return 0
            start = file.read(HEAD_BYTES)
            if done and (status.st_size < done or _digest(start[: min(done, HEAD_BYTES)]) != head):
                self._forget(inode)  # Another file with the number of an old one, or one that was cut.
                done = 0
            came, end = self._read(file, inode, path, done, status)
            if end != done:
                digest = _digest(start[: min(end, HEAD_BYTES)])
                self._connection.execute("insert or replace into files values (?, ?, ?)", (inode, end, digest))
        return came

    def _read(self, file: Any, inode: int, path: Path, done: int, status: os.stat_result) -> tuple[int, int]:
        """Whole lines only; what is being written waits for the next time."""
        match = _LOG.fullmatch(path.name)
        process = match[1] if match else ""
        came, rest, place = 0, b"", done
        file.seek(done)
        while chunk := file.read(CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    self._add(inode, place, process, line, status.st_mtime)
                    came += 1
                place += len(line) + 1
        return came, place

    def _add(self, inode: int, place: int, process: str, line: bytes, written_at: float) -> None:
        fields = parse(line)
        row = (inode, place, len(line), _time(fields, written_at), process, str(fields.get("level", "")))
        request_id = str(fields.get("request_id") or "")
        run = self._connection.execute
        run(
            "insert into lines (inode, place, length, at, process, level, request_id) values (?, ?, ?, ?, ?, ?, ?)",
            (*row, request_id),
        )
        run("insert into words (rowid, text) values (?, ?)", (self._connection.last_insert_rowid(), _text(fields)))

    # -- finding ---------------------------------------------------------------------------------------------------

    def find(self, wish: Wish, limit: int) -> list[Line]:
        """The newest that fit, oldest of them first."""
        where, values = ["id > ?"], [wish.after_id]
        bound: list[Any] = list(values)
        for column, value in (("request_id", wish.request_id), ("process", wish.process), ("level", wish.level)):
            if value:
                where.append(f"{column} = ?")
                bound.append(value)
        if wish.since:
            where.append("at >= ?")
            bound.append(wish.since)
        if wish.text.strip():
            where.append("id in (select rowid from words where words match ?)")
            bound.append(match_of(wish.text))
        query = f"select id, inode, place, length, at, process from lines where {' and '.join(where)}"  # noqa: S608 own words
        found = self._connection.execute(f"{query} order by at desc, id desc limit ?", (*bound, limit)).fetchall()
        return [line for line in map(self._line, reversed(found)) if line is not None]

    def newest_id(self) -> int:
        return int(next(iter(self._connection.execute("select coalesce(max(id), 0) from lines")))[0])

    def _line(self, row: tuple[int, int, int, int, float, str]) -> Line | None:
        id, inode, place, length, at, process = row
        path = self._paths.get(inode)
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_ino != inode:
                    return None  # Turned over meanwhile.
                file.seek(place)
                return Line(id, process, at, file.read(length))
        except FileNotFoundError:
            return None


def match_of(text: str) -> str:
    """Every word must be there, its end may be left out: `loop.fail` finds `loop.failed`."""
    words = [word.replace('"', "") for word in text.split()]
    return " AND ".join(f'"{word}"*' for word in words if any(c.isalnum() for c in word)) or '""'


def parse(line: bytes) -> dict[str, Any]:
    """A line's fields; one that is not JSON, such as haproxy's, is all message."""
    if line.startswith(b"{"):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            found = None
        if isinstance(found, dict):
            return found
    return {"event": line.decode("utf-8", "replace")}


def _text(value: object) -> str:
    """All values, without the names of the fields."""
    return " ".join(_words(value))


def _words(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _words(each)
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)
    elif value is not None:
        yield str(value)


def _time(fields: dict[str, Any], otherwise: float) -> float:
    try:
        return clock.parse(str(fields["timestamp"]))
    except (KeyError, ValueError):
        return otherwise


def _digest(start: bytes) -> bytes:
    return hashlib.blake2b(start, digest_size=16).digest()


def _connect(path: Path) -> apsw.Connection:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.close(descriptor)
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_MS)
    # What a power cut breaks is made anew from the logs.
    connection.execute("pragma journal_mode=wal; pragma synchronous=off; pragma cache_size=-16384")
    return connection
