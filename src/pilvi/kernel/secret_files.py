"""Secrets in files that are looked at again, so that a new one is in force without a restart.

One secret per line, the one in force first. `SECRET until 1790000000` is a former one that counts until then (seconds
since 1970): whoever still says it is understood. A former one without `until` counts until its line goes.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from pilvi.kernel import clock
from pilvi.kernel.config import ConfigError, Secret

LOOK_EVERY_S: Final = 1.0
MOST_LINES: Final = 20
UNTIL: Final = " until "


class Secrets(Protocol):
    """One secret, or the several that a file holds."""

    def current(self) -> Secret:
        """The one to say."""

    def knows(self, text: str) -> bool:
        """Whether somebody said one that counts. Takes as long for a wrong one as for a right one."""


@dataclass(frozen=True, slots=True)
class Line:
    secret: Secret
    until: float | None = None

    @property
    def text(self) -> str:
        return self.secret.reveal() + ("" if self.until is None else f"{UNTIL}{int(self.until)}")


def parse(text: str, path: Path) -> list[Line]:
    """Raises ConfigError with the number of the line that is wrong, and never with what it says."""
    lines = []
    for number, line in enumerate(text.splitlines()[:MOST_LINES], 1):
        secret, found, until = line.strip().partition(UNTIL)
        if not secret:
            continue
        if found and not until.isdigit():
            raise ConfigError(f"Line {number} of {path} must be SECRET, or SECRET until SECONDS-SINCE-1970.")
        lines.append(Line(Secret(secret), float(until) if found else None))
    if lines and lines[0].until is not None:
        raise ConfigError(f"The first line of {path} is the secret in force, which has no end.")
    return lines


class SecretFile:
    """A file of secrets that only its owner can read. One per process and file; safe in many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._looked_at = -LOOK_EVERY_S
        self._stamp: tuple[int, int] = (0, 0)
        self._lines: list[Line] = []

    def lines(self, *, now: bool = False) -> list[Line]:
        """Those that count, the one in force first. `now`: as the file is at this moment, not a second ago."""
        moment = clock.monotonic()
        if now or moment - self._looked_at >= LOOK_EVERY_S or not self._lines:
            with self._lock:
                self._look()
                self._looked_at = moment
        return [line for line in self._lines if line.until is None or line.until > clock.now()]

    def _look(self) -> None:
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp or not self._lines:
                self._lines = parse(Secret.from_file(self.path).reveal(), self.path)
                self._stamp = stamp
        except (ConfigError, OSError):
            if not self._lines:
                raise ConfigError(
                    f"There is no secret in {self.path}, mode 0600. `./pilvi up` makes it for a new cloud; an old one "
                    "needs the file of its backup."
                ) from None  # A process that knows secrets goes on with them.

    def current(self) -> Secret:
        return self.lines()[0].secret

    def knows(self, text: str) -> bool:
        return any(line.secret.knows(text) for line in self.lines()) or (
            bool(text) and any(line.secret.knows(text) for line in self.lines(now=True))
        )
