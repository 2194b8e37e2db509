"""`pilvi logs`: the lines of all processes in the order of time, searched by words, request, process and time."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from pilvi.kernel import clock
from pilvi.kernel.config import Config, ConfigError
from pilvi.ops.log_index import Line, LogIndex, Wish, parse

PROCESSES: Final = ("front", "api", "live", "agent", "supervisor")
LEVELS: Final = ("debug", "info", "warning", "error", "critical")
LOOK_EVERY_S: Final = 0.5
LINES_MOST: Final = 100_000
_SPAN: Final = re.compile(r"(\d+)\s*(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What strangers sent must not steer the reader's terminal."""
_FIRST: Final = ("timestamp", "level", "event", "process", "pid", "component", "request_id")


def moment(text: str) -> float:
    """`10m`, `2h`, `1d`, or a time such as 2026-11-22T18:00, in seconds since the epoch."""
    match = _SPAN.fullmatch(text.strip())
    if match:
        return clock.now() - int(match[1]) * _SECONDS[match[2]]
    try:
        return clock.parse(text)
    except ValueError:
        raise ConfigError(f"--since takes 30s, 10m, 2h, 1d or a time such as 2026-11-22T18:00, not {text!r}.") from None


def wish_of(words: tuple[str, ...], request: str, process: str, level: str, since: str) -> Wish:
    if process and process not in PROCESSES:
        raise ConfigError(f"There is no process {process!r}; there are {', '.join(PROCESSES)}.")
    if level and level not in LEVELS:
        raise ConfigError(f"There is no level {level!r}; there are {', '.join(LEVELS)}.")
    return Wish(" ".join(words), request, process, level, moment(since) if since else 0.0)


def read(config: Config, wish: Wish, lines: int, *, follow: bool, as_json: bool) -> Iterator[str]:
    """Lines as they are shown. With `follow` it goes on until it is stopped."""
    if not config.paths.log.exists():
        return
    if not 1 <= lines <= LINES_MOST:
        raise ConfigError(f"--lines must be between 1 and {LINES_MOST}.")
    index = LogIndex(config.paths.log)
    try:
        index.refresh()
        while True:
            newest = index.newest_id()
            for line in index.find(wish, lines):
                yield raw(line) if as_json else told(line)
            if not follow:
                return
            wish, lines = replace(wish, after_id=newest), LINES_MOST
            while not index.refresh():
                time.sleep(LOOK_EVERY_S)
    finally:
        index.close()


def raw(line: Line) -> str:
    """As written, with the process, which the file's name says."""
    return line.raw.decode("utf-8", "replace")


def told(line: Line) -> str:
    """For people: time, process, level, what happened, the request, the rest."""
    fields = parse(line.raw)
    at = clock.timestamp(line.at)[:23].replace("T", " ")
    rest = " ".join(f"{key}={_value(value)}" for key, value in fields.items() if key not in _FIRST)
    parts = (at, f"{line.process:10}", f"{fields.get('level', ''):8}", str(fields.get("event", "")), rest)
    text = " ".join(part for part in parts if part).rstrip()
    text += f" {fields['request_id']}" if fields.get("request_id") else ""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def _value(value: Any) -> str:
    text = str(value)
    return repr(text) if " " in text or not text else text
