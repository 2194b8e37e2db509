"""Bytes that come in: one transfer at a time fills an image, and proves that it lives."""

from typing import Any

from pilvi.image.images import store
from pilvi.image.images.model import Image, Status
from pilvi.kernel import clock
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Conflict


def begin_transfer(
    tx: Tx, image: Image, status: Status, upload_id: str, busy_until: float, holder: str = ""
) -> None:  # fmt: skip
    """For the image as it was read: of two who begin at a time, one gets Conflict."""
    values = {"status": status, "upload_id": upload_id, "busy_until": busy_until, "holder": holder}
    if not store.update_transfer(tx, image.id, image.upload_id, [image.status], **values):
        raise Conflict(f"Image {image.id} was changed meanwhile: something else began to fill it.")


def end_leases(tx: Tx, host: str, holder: str) -> list[str]:
    """The transfers of earlier runs of this host's process are dead, whatever they said. The images' ids."""
    found = store.left_behind(tx, host, holder)
    for image in found:
        store.update(tx, image.id, busy_until=0.0)
    return [image.id for image in found]


def change_transfer(tx: Tx, id: str, upload_id: str, statuses: list[Status], /, **values: Any) -> bool:
    """Change the image if this transfer still fills it."""
    return store.update_transfer(tx, id, upload_id, statuses, **values) == 1


def late_transfers(tx: Tx, statuses: list[Status]) -> list[Image]:
    """Images whose transfer died: it has not said in time that it lives."""
    return store.busy_before(tx, statuses, clock.now())


def every_id(tx: Tx) -> set[str]:
    return store.every_id(tx)
