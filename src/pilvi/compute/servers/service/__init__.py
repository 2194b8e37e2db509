"""What can be done with servers. Each verb checks its rule on the real server before it does anything."""

from pilvi.compute.servers.service.actions import (
    add_security_group,
    console_output,
    delete,
    lock,
    pause,
    reboot,
    remove_security_group,
    reset_state,
    restore,
    start,
    stop,
    unlock,
    unpause,
    update,
)
from pilvi.compute.servers.service.creation import Wish, create, trial
from pilvi.compute.servers.service.lists import (
    find,
    get,
    host_needs_image,
    list_,
    missing,
    on_host,
    replace_metadata,
    replace_tags,
    reread,
    show,
    transitional,
    usage_of_host,
    with_nics,
)
from pilvi.compute.servers.service.reports import expire, observe
from pilvi.compute.servers.service.snapshots import create_image, image_arrived, image_begins, image_failed

__all__ = [
    "Wish", "add_security_group", "console_output", "create", "create_image", "delete", "expire", "find", "get",
    "host_needs_image", "image_arrived", "image_begins", "image_failed", "list_", "lock", "missing", "observe",
    "on_host", "pause", "reboot", "remove_security_group", "replace_metadata", "replace_tags", "reread",
    "reset_state", "restore", "show", "start", "stop", "transitional", "trial", "unlock", "unpause", "update",
    "usage_of_host", "with_nics",
]  # fmt: skip
