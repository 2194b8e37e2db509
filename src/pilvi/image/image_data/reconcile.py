"""Removes bytes that no image has, and frees images whose transfer died. Takes no events: looks at rows and stores."""

from functools import partial

from pilvi.image.drivers import open_store
from pilvi.image.drivers.file import FileStore
from pilvi.image.drivers.protocol import ImageStore
from pilvi.image.image_data import service
from pilvi.image.image_data.model import Holder, Transfer
from pilvi.image.images import service as images
from pilvi.image.images.model import Image, Status
from pilvi.image.stores.model import Stores
from pilvi.kernel import clock, ids
from pilvi.kernel.context import internal
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.loop import Loop, Reconcile
from pilvi.kernel.steps import Steps

FILLING = (Status.SAVING, Status.UPLOADING, Status.IMPORTING)
RECEIVING = (Status.SAVING, Status.UPLOADING)
"""What a dead process leaves to this loop; imports have a loop of their own."""
SWEEP_S = 60.0


def loop(stores: Stores) -> Loop:
    def reconcile(database: Database, key: str) -> None:
        tidy(database, stores, key)

    def sweep(tx: Tx) -> list[str]:
        return find_untidy(tx, stores)

    done: Reconcile = reconcile
    return Loop(images.DATA_WORK, done, sweep, SWEEP_S)


def find_untidy(tx: Tx, stores: Stores) -> list[str]:
    """Images with a dead transfer, and files without an image."""
    late = {image.id for image in images.late_transfers(tx, list(RECEIVING)) if image.upload_id}
    files = {id for place in _places(stores) for id in place.image_ids()}
    return sorted(late | (files - images.every_id(tx)))


def _places(stores: Stores) -> list[ImageStore]:
    return [*(open_store(store.driver, store.directory) for store in stores.all), FileStore(stores.staging)]


def tidy(database: Database, stores: Stores, image_id: str) -> None:
    """Make the files of one image what its row says. May run at any time, again too."""
    image = database.read(lambda tx: images.find(tx, image_id))
    if image is not None and image.upload_id and image.status in RECEIVING and image.busy_until < clock.now():
        database.write(partial(_free, image=image))
        image = database.read(lambda tx: images.find(tx, image_id))
    steps = Steps()
    is_coming = image is not None and (image.status in FILLING or bool(image.upload_id))
    """Of an active image, too: a copy is there before its row says so. Whoever brings it has this looked at again."""
    for store in stores.all:
        is_kept = is_coming or (image is not None and store.id in image.stores)
        _tidy_place(open_store(store.driver, store.directory), image_id, image, steps, is_kept=is_kept)
    is_staged = image is not None and image.status in (Status.UPLOADING, Status.IMPORTING)
    _tidy_place(FileStore(stores.staging), image_id, image, steps, is_kept=is_staged)
    if steps.taken:
        database.write(lambda tx: service.removed(tx, image_id, steps))


def take_over(database: Database, stores: Stores, holder: Holder) -> None:
    """At the start of the process: what its previous run was about to receive is given up now, not after the lease."""
    for image_id in database.write(lambda tx: images.end_leases(tx, holder.host, holder.text)):
        tidy(database, stores, image_id)


def _free(tx: Tx, image: Image) -> None:
    ctx = internal(ids.request_id(), project_id=image.owner)
    dead = Transfer(image.id, image.upload_id, image.disk_format or "", image.container_format or "", "")
    service.give_up(ctx, tx, dead, "the process that received it is gone")


def _tidy_place(place: ImageStore, image_id: str, image: Image | None, steps: Steps, *, is_kept: bool) -> None:
    for upload_id in place.arriving(image_id):
        if image is None or upload_id != image.upload_id:
            place.drop(image_id, upload_id)
    if not is_kept and place.size(image_id) is not None:
        with steps.timed("image store delete"):
            place.delete(image_id)
