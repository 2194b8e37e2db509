"""A transfer of bytes into or out of an image. Pure."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import Final

from pilvi.image.signatures.model import Seal
from pilvi.kernel.steps import Steps

LEASE_S: Final = 180.0
"""A transfer that has not shown itself for so long counts as dead."""
TOUCH_S: Final = 30.0
"""How often a living transfer shows itself."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One run of the process that moves bytes on a host. What an earlier run held is nobody's."""

    host: str
    """Eight digits that stand for the host's name."""
    run: str

    @property
    def text(self) -> str:
        return self.host + self.run


def holder_on(host: str, run_id: str) -> Holder:
    return Holder(hashlib.sha256(host.encode()).hexdigest()[:8], run_id[:8])


@dataclass(frozen=True, slots=True)
class Transfer:
    """The right to fill one image, until it is finished, given up or dead."""

    image_id: str
    upload_id: str
    disk_format: str
    container_format: str
    store: str
    is_staged: bool = False
    seal: Seal | None = None
    """The signature that the bytes must have."""
    steps: Steps = field(default_factory=Steps, compare=False)
    """What the store was asked to do so far."""

    @property
    def further_digests(self) -> list[str]:
        return [self.seal.signature.digest_name] if self.seal is not None else []

    def named(self, upload_id: str) -> "Transfer":
        """The same under the id by which the image knows it."""
        return replace(self, upload_id=upload_id)


@dataclass(frozen=True, slots=True)
class Received:
    """What the bytes turned out to be."""

    size: int
    virtual_size: int | None
    md5: str
    digest: str
    algorithm: str = "sha512"


@dataclass(frozen=True, slots=True)
class Download:
    """What a reader gets."""

    image_id: str
    store: str
    size: int
    md5: str
    url: str = ""
    """Where the bytes are, if they are in no store of ours."""
    is_cached: bool = False
    """There is a copy on the host that was asked."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of an image that a reader asked for."""

    start: int
    length: int
    size: int
    """Of the whole."""
    is_partial: bool

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


_RANGE: Final = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def part_of(asked: str, size: int) -> Part | None:
    """What a Range header means for so many bytes; all of them without one, None where there is nothing to give."""
    if not asked:
        return Part(0, size, size, False)
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match[0].endswith("=-"):
        return None
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    return Part(start, end - start, size, True) if start < end else None
