"""What compute and bootstrap may ask of images. All take the caller's transaction."""

from dataclasses import dataclass

from pilvi.image.images import service as images
from pilvi.image.images.model import WRITABLE, Image, Visibility, refuse_reserved
from pilvi.image.metadef_standard import service as metadef_standard
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image as servers know it."""

    id: str
    name: str | None
    status: str
    owner: str | None
    visibility: str
    disk_format: str | None
    container_format: str | None
    size: int | None
    virtual_size: int | None
    min_disk: int
    min_ram: int
    properties: dict[str, str]
    sha512: str | None


def _ref(image: Image) -> ImageRef:
    return ImageRef(
        id=image.id, name=image.name, status=image.status, owner=image.owner, visibility=image.visibility,
        disk_format=image.disk_format, container_format=image.container_format, size=image.size,
        virtual_size=image.virtual_size, min_disk=image.min_disk, min_ram=image.min_ram,
        properties=dict(image.properties), sha512=image.os_hash_value if image.os_hash_algo == "sha512" else None,
    )  # fmt: skip


def bootstrap(tx: Tx) -> None:
    """What a cloud starts with. May be run again: what is there is left alone."""
    metadef_standard.ensure(tx)


def get(ctx: Context, tx: Tx, image_id: str) -> ImageRef:
    """An image that the caller may see; raises NotFound for others."""
    return _ref(images.get(ctx, tx, image_id))


def create_snapshot(ctx: Context, tx: Tx, *, name: str, min_disk_gib: int, properties: dict[str, str]) -> str:
    """A queued qcow2 image of the caller's project, whose bytes a host will send. Its id."""
    refuse_reserved(properties)
    taken = sorted(WRITABLE & properties.keys())
    if taken:
        raise BadRequest(f"{', '.join(taken)} cannot be metadata of an image: the image has an attribute of that name.")
    fixed = {
        "name": name, "disk_format": "qcow2", "container_format": "bare", "visibility": Visibility.PRIVATE,
        "min_disk": min_disk_gib,
    }  # fmt: skip
    return images.create(ctx, tx, fixed | properties).id


def discard(tx: Tx, image_id: str, request_id: str) -> None:
    """Forget an image that never got its bytes. One that has them stays."""
    images.discard(tx, image_id, request_id)


def find(tx: Tx, image_id: str) -> ImageRef | None:
    """No rights are asked."""
    image = images.find(tx, image_id)
    return None if image is None else _ref(image)
