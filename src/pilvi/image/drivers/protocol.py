"""What a store of images must do for us.

A store keeps the bytes of whole images under the images' ids, and apart from them what is still arriving, under the id
of its transfer. Every call may be repeated after a crash, and then changes nothing. Calls block: loops make them, and
streams make them in threads; no request makes one in its transaction. Any number of transfers and readers may work
at once, in several processes; two transfers of one image never keep at the same time, which its row sees to.

How to add one (RBD, an object store): a class with these calls, its name in `drivers.DRIVERS`, and a line in
`tests/contract/drivers/test_image_store.py`, whose suite it then has to pass. Bytes are hashed and inspected on their
way by `Reading`, which an `Incoming` derives from.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from pilvi.image.drivers.reading import Digests
from pilvi.image.inspector import Finding


class StoreFault(Exception):
    """Why bytes could not be read or kept; for the user. Trouble of this machine's own disk may stay an OSError."""


class Readable(Protocol):
    """Where whole images can be read: all that a store at somebody else's web server can do."""

    def read(self, name: str, /) -> Iterator[bytes]:
        """All bytes in order, in pieces that fit into memory. Raises StoreFault at the first piece or at any later one,
        never ends early."""


class Incoming(Protocol):
    """One image that arrives. Nobody else sees any of it before `keep`."""

    @property
    def size(self) -> int: ...

    @property
    def digests(self) -> Digests: ...

    @property
    def md5(self) -> str: ...

    @property
    def sha512(self) -> str: ...

    def write(self, chunk: bytes | memoryview) -> None:
        """The next bytes. Called in order, from one thread at a time; `chunk` is not changed afterwards."""

    def inspect(self) -> Finding:
        """What the bytes are. Called when all are written. Raises InspectionFailed."""

    def keep(self) -> None:
        """All is written and right: from here on the image is there, whole, also after a power cut. What was kept under
        this id before is replaced at one moment, for readers as well."""

    def discard(self) -> None:
        """Leave nothing of this transfer. May be called at any time, also after `keep`, which it does not undo."""


class ImageStore(Protocol):
    def receive(self, image_id: str, upload_id: str, also: Iterable[str] = ()) -> Incoming:
        """Begin to receive an image. `also` names further hashes to take. Who begins again with the same `upload_id`
        begins from nothing."""

    def size(self, image_id: str) -> int | None:
        """How many bytes a kept image has; None where there is none."""

    def read(self, image_id: str, start: int = 0, length: int | None = None, /) -> Iterator[bytes]:
        """The bytes of a kept image from `start` on, at most `length`. As `Readable`; a reader that began before a
        `delete` or another `keep` gets what was there then, or a StoreFault, and never a mixture."""

    def delete(self, image_id: str) -> None:
        """The kept image goes. What is arriving under the same id stays."""

    def arriving(self, image_id: str) -> list[str]:
        """The ids of transfers of which something is here, also those whose process is dead."""

    def drop(self, image_id: str, upload_id: str) -> None:
        """Remove what a transfer left, whoever began it."""

    def image_ids(self) -> Iterator[str]:
        """Every image of which anything is here, kept or arriving. Twice is allowed."""


@runtime_checkable
class HasFiles(Protocol):
    """A store whose images are files of this machine: they are sent without passing through us."""

    def path(self, image_id: str) -> Path:
        """Where the kept image is, or would be."""
