"""Copies of images, kept where they are served from, for those whose own place is slow or far. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pilvi.kernel.errors import BadRequest


class CopyStatus(StrEnum):
    QUEUED = "queued"
    CACHED = "cached"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that is wanted or there."""

    image_id: str
    node: str
    """The host that has it; empty while it is only wanted."""
    status: str
    size: int
    hits: int
    queued_at: float
    last_accessed: float
    last_modified: float


def too_many(copies: Iterable[Copy], limit_bytes: int) -> Iterator[Copy]:
    """Those that must go so that the rest fits, the longest unread first."""
    kept = list(copies)
    total = sum(copy.size for copy in kept)
    for copy in sorted(kept, key=lambda copy: (copy.last_accessed, copy.image_id)):
        if total <= limit_bytes:
            return
        total -= copy.size
        yield copy


def targets(text: str) -> frozenset[str]:
    """Which copies a header speaks of: the ones that are there, the ones that are wanted, or both."""
    known = {"": {"cached", "queued"}, "cache": {"cached"}, "queue": {"queued"}}
    if text.lower() not in known:
        raise BadRequest("If provided 'x-image-cache-clear-target' must be 'cache', 'queue' or empty string.")
    return frozenset(known[text.lower()])
