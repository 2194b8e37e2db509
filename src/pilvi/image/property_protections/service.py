"""The operator's file as it is now: read at the start, and again when it or the rules that it names changed."""

import threading
from functools import partial
from pathlib import Path
from typing import Final

from pilvi.image.property_protections.model import OPEN, Protections, load
from pilvi.kernel import clock, policy_files
from pilvi.kernel.config import Config, ConfigError
from pilvi.kernel.log import logger

LOOK_EVERY_S: Final = 2.0
Stamp = tuple[int, int, int] | None


class Watched:
    """Whom to let now. One per process; safe in many threads. The first reading raises ConfigError: rights are not
    guessed. A later one that fails leaves what was in force, and says so in the log."""

    def __init__(self, config: Config) -> None:
        self._path = config.image.property_protections
        self._rules = config.paths.policy / "image.yaml"
        self._format = config.image.property_protection_format
        self._lock = threading.Lock()
        self._looked_at = clock.monotonic()
        self._stamps = self._look()
        self._current = self._load()

    def __call__(self) -> Protections:
        if self._path is None:
            return OPEN
        if clock.monotonic() - self._looked_at >= LOOK_EVERY_S and self._lock.acquire(blocking=False):
            try:
                self._looked_at = clock.monotonic()
                self._refresh()
            finally:
                self._lock.release()
        return self._current

    def _refresh(self) -> None:
        stamps = self._look()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._current = self._load()
        except ConfigError as error:
            remedy = "Mend the file; until then what it said before is in force."
            logger("image").error("property_protections.refused", reason=str(error), remedy=remedy)
            return
        logger("image").info("property_protections.applied", sections=len(self._current.sections or ()))

    def _load(self) -> Protections:
        return load(self._path, self._format, partial(policy_files.named, self._rules))

    def _look(self) -> tuple[Stamp, Stamp]:
        return (None if self._path is None else _stamp(self._path)), _stamp(self._rules)


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
