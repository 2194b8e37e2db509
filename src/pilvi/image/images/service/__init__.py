"""What can be done with images: no HTTP, no SQL."""

from pilvi.image.images.service.lists import list_
from pilvi.image.images.service.transfers import begin_transfer, change_transfer, end_leases, every_id, late_transfers
from pilvi.image.images.service.verbs import (
    DATA_WORK,
    add_tag,
    create,
    deactivate,
    delete,
    delete_tag,
    discard,
    enforce,
    find,
    get,
    get_for,
    missing,
    put_properties,
    reactivate,
    remove_from_store,
    save,
    target_of,
    tidy_soon,
    update,
    usage,
)

__all__ = [
    "DATA_WORK", "add_tag", "begin_transfer", "change_transfer", "create", "deactivate", "delete", "delete_tag",
    "discard", "end_leases", "enforce", "every_id", "find", "get", "get_for", "late_transfers", "list_",
    "missing", "put_properties", "reactivate", "remove_from_store", "save", "target_of", "tidy_soon", "update", "usage",
]  # fmt: skip
