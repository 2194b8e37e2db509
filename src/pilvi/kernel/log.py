"""Structured logs: one JSON line per event in log/<process>.log, bounded in size, free of secrets.

`with bound(request_id=...)` puts fields on every line of this thread or task; `logger(name)` gives a logger.
"""

import fcntl
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import orjson

from pilvi.kernel import clock

_is_terminal = "rich" in sys.modules
if not _is_terminal:
    # structlog loads what colours a terminal wherever it is installed: three megabytes in every process of a cloud.
    sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402

if not _is_terminal:
    del sys.modules["rich"]

LARGEST_BYTES: Final = 8 * 1024 * 1024
KEPT_FILES: Final = 4  # The current one and three older ones.
LONGEST_LINE: Final = 16 * 1024
FOLLOW_EVERY_S: Final = 1.0

_SECRET_FIELD: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|authorization|cookie|private_?key|user_?data|admin_?pass|credential",
    re.IGNORECASE,
)
_HARMLESS_FIELD: Final = re.compile(r"_(id|path|file|count|s|at)$")
_TOKEN: Final = re.compile(r"gAAAAA[\w=-]{20,}")
HIDDEN: Final = "***"
_plain: Callable[[bytes], None] | None = None
"""Where plain lines go; None where nobody wants them."""


def configure(process: str, directory: Path | None, *, level: str = "info") -> None:
    """Call once, first thing in a process. Without a directory lines go to standard error."""
    sink: RotatingFile | None = None
    if directory is not None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sink = RotatingFile(directory / f"{process}.log")
    write = sink.write if sink else _to_stderr
    threshold = getattr(logging, level.upper())
    global _plain
    _plain = write if threshold <= logging.INFO else None
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            hide_secrets,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_names: _Line(write),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(process=process, pid=os.getpid())
    _take_over_logging(max(threshold, logging.INFO))


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(component=name))


def plain(component: str, event: str, fields: dict[str, Any]) -> None:
    """A line of level info whose fields are known to hold no secret: what every request writes, at a fifth of the
    cost of `logger(...).info`, in the same shape."""
    if _plain is not None:
        head = {"component": component, "event": event, "level": "info", "timestamp": clock.timestamp()}
        known = structlog.contextvars.get_contextvars()
        _plain(orjson.dumps({**known, **fields, **head}, default=str) + b"\n")


@contextmanager
def bound(**fields: str | int | None) -> Iterator[None]:
    """These fields are on every line until the block ends: request_id, server_id, port_id, ..."""
    with structlog.contextvars.bound_contextvars(**{k: v for k, v in fields.items() if v is not None}):
        yield


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last line of defence, not the first: what is secret has the type Secret and does not print."""
    return cast(MutableMapping[str, Any], _hidden(event))


def _hidden(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return _TOKEN.sub(HIDDEN, value) if "gAAAAA" in value else value
    if depth > 6:
        return str(type(value))
    if isinstance(value, dict):
        return {k: HIDDEN if _is_secret(str(k), v) else _hidden(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item, depth + 1) for item in value]
    return value


def _is_secret(key: str, value: object) -> bool:
    return not (value is None or isinstance(value, bool | int | float)) and _names_secret(key)


@lru_cache(maxsize=1000)
def _names_secret(key: str) -> bool:
    return _HARMLESS_FIELD.search(key) is None and _SECRET_FIELD.search(key) is not None


def _render(_logger: object, _method: str, event: MutableMapping[str, Any]) -> bytes:
    line = orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)
    if len(line) > LONGEST_LINE:
        kept = {key: event.get(key) for key in ("timestamp", "level", "process", "request_id", "component")}
        cut = {**kept, "event": str(event.get("event"))[:2000], "cut_from_bytes": len(line), "start": str(event)[:4000]}
        line = orjson.dumps(cut, default=str)
    return line + b"\n"


def _to_stderr(line: bytes) -> None:
    sys.stderr.buffer.write(line)
    sys.stderr.buffer.flush()


class _Line:
    """What structlog writes to: every level is one line."""

    def __init__(self, write: Any) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.exception = self.msg = write


class RotatingFile:
    """A file that several threads and processes append whole lines to, and that whoever fills it turns over."""

    def __init__(self, path: Path, *, largest_bytes: int = LARGEST_BYTES, kept: int = KEPT_FILES) -> None:
        self._path = path
        self._largest_bytes = largest_bytes
        self._kept = kept
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._unseen_bytes = 0
        self._fd = self._open()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, line: bytes) -> None:
        """A full disk or a lost directory must not stop the process that logs: such a line is dropped."""
        with self._lock:
            try:
                self._follow()
                os.write(self._fd, line)
                self._unseen_bytes += len(line)
                if self._unseen_bytes > self._largest_bytes // 64:
                    self._unseen_bytes = 0
                    if os.fstat(self._fd).st_size > self._largest_bytes:
                        self._turn_over()
            except OSError:
                return

    def _is_current(self) -> bool:
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        return named.st_ino == os.fstat(self._fd).st_ino

    def _follow(self) -> None:
        """Another process may have turned the file over; a few lines more in the older file lose nothing."""
        now = time.monotonic()
        if now - self._looked_at < FOLLOW_EVERY_S:
            return
        self._looked_at = now
        self._take_current()

    def _take_current(self) -> None:
        if not self._is_current():
            fresh = self._open()
            os.close(self._fd)
            self._fd = fresh

    def _turn_over(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)  # Released when this descriptor is closed.
        if self._is_current():
            for number in range(self._kept - 1, 0, -1):
                source = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
                if source.exists():
                    source.replace(self._path.with_name(f"{self._path.name}.{number}"))
        self._take_current()


class _FromLibraries(logging.Handler):
    """Lines of libraries that use the standard logging, in the same file and shape."""

    def emit(self, record: logging.LogRecord) -> None:
        method = getattr(structlog.get_logger(component=record.name), record.levelname.lower(), None)
        if method is not None:
            method(record.getMessage(), exc_info=record.exc_info or None)


def _take_over_logging(threshold: int) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_FromLibraries())
    root.setLevel(threshold)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
