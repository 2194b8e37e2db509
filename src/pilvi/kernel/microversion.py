"""Microversions: which header asks, what is in force, what the answer echoes.

A version `2.79` is carried as its minor number, 79: no service of ours has two majors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pilvi.kernel.errors import BadRequest, NotAcceptable

_FORM = re.compile(r"^(\d+)\.(0|[1-9]\d*)$")
HEADER = "OpenStack-API-Version"


def minor(version: str) -> int:
    """`"2.79"` → 79."""
    match = _FORM.match(version)
    assert match, f"not a microversion: {version}"
    return int(match.group(2))


@dataclass(frozen=True, slots=True)
class Versions:
    """The range that a service announces. `history` is version → one line of why, oldest first."""

    word: str
    """The word in the header: `compute`, `placement`, `volume`."""
    major: int
    history: Mapping[str, str]
    legacy_header: str | None = None
    vary: str = HEADER
    """How the header is spelled in Vary."""

    @property
    def minimum(self) -> int:
        return minor(next(iter(self.history)))

    @property
    def maximum(self) -> int:
        return minor(list(self.history)[-1])

    def text(self, version: int) -> str:
        return f"{self.major}.{version}"

    def negotiate(self, header: str | None, legacy: str | None) -> int:
        """The minor version in force. Raises BadRequest (malformed) or NotAcceptable (out of range)."""
        asked = self._asked(header) or (legacy or "").strip()
        if not asked:
            return self.minimum
        if asked == "latest":
            return self.maximum
        match = _FORM.match(asked)
        if match is None:
            raise BadRequest(f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum.")
        found = int(match.group(2))
        if int(match.group(1)) != self.major or not self.minimum <= found <= self.maximum:
            raise NotAcceptable(
                f"Version {asked} is not supported by the API. Minimum is {self.text(self.minimum)} and "
                f"maximum is {self.text(self.maximum)}.",
                extra={"max_version": self.text(self.maximum), "min_version": self.text(self.minimum)},
            )
        return found

    def _asked(self, header: str | None) -> str:
        for part in (header or "").split(","):
            word, _, version = part.strip().partition(" ")
            if word.lower() == self.word:
                return version.strip() or "?"
        return ""

    def echo(self, version: int) -> dict[str, str]:
        """The headers that tell the client what was in force."""
        headers = {HEADER: f"{self.word} {self.text(version)}", "Vary": self.vary}
        if self.legacy_header:
            headers[self.legacy_header] = self.text(version)
            headers["Vary"] = f"{HEADER}, {self.legacy_header}"
        return headers
