"""A transfer of bytes into or out of an image. Pure."""

from dataclasses import dataclass, replace
from typing import Final

LEASE_S: Final = 180.0
"""A transfer that has not shown itself for so long counts as dead."""
TOUCH_S: Final = 30.0
"""How often a living transfer shows itself."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """The right to fill one image, until it is finished, given up or dead."""

    image_id: str
    upload_id: str
    disk_format: str
    container_format: str
    store: str
    is_staged: bool = False

    def named(self, upload_id: str) -> "Transfer":
        """The same under the id by which the image knows it."""
        return replace(self, upload_id=upload_id)


@dataclass(frozen=True, slots=True)
class Received:
    """What the bytes turned out to be."""

    size: int
    virtual_size: int
    md5: str
    sha512: str


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
