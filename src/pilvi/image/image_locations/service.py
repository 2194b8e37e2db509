"""The locations API: services say where an image's bytes are, and read it. The bytes are read and hashed by a task."""

from typing import Any

from pilvi.image.image_locations import policy
from pilvi.image.image_locations.model import DIGEST_LENGTHS, Locations, shown
from pilvi.image.images import service as images
from pilvi.image.images.model import Status
from pilvi.image.imports import service as imports
from pilvi.image.imports.model import check_uri
from pilvi.image.stores.model import Stores
from pilvi.image.tasks.model import Task
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, Forbidden


def add(ctx: Context, tx: Tx, image_id: str, given: dict[str, Any], stores: Stores) -> Task:
    """Begin to read what is there; the image is active once it was read and hashed."""
    image = images.get_for(ctx, tx, image_id, policy.ADD)
    ctx.about("image", image.id, image.name or "")
    if image.status != Status.QUEUED:
        raise Conflict(f"It's not allowed to add locations if image status is {image.status}.")
    if not stores.shows_locations and "service" not in ctx.roles | ctx.service_roles:
        raise Forbidden("http store must be enabled to use location API by normal user.")
    validation = given.get("validation_data") or {}
    algorithm = validation.get("os_hash_algo")
    if algorithm and DIGEST_LENGTHS[algorithm] != len(validation["os_hash_value"]):
        raise BadRequest(f"os_hash_value must have the {DIGEST_LENGTHS[algorithm]} digits of a {algorithm} digest.")
    check_uri(given["url"], stores.allowed_hosts)
    return imports.start_location(ctx, tx, image, given["url"], validation)


def list_(ctx: Context, tx: Tx, image_id: str) -> Locations:
    """Everything that holds the bytes, for services that clone instead of copying."""
    return shown(images.get_for(ctx, tx, image_id, policy.FETCH))
