"""Who may do what with images. Upstream's names."""

from collections.abc import Mapping
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.policy import Rule, admin, project_member, project_reader


def _usable(ctx: Context, target: Mapping[str, Any]) -> bool:
    """The image is the caller's own, everybody's, or shared with the caller's project."""
    own = bool(ctx.project_id) and target.get("project_id") == ctx.project_id
    return own or target.get("visibility") in ("public", "community") or bool(target.get("is_member"))


def reader_of_usable(ctx: Context, target: Mapping[str, Any]) -> bool:
    return admin(ctx, target) or ("reader" in ctx.roles and _usable(ctx, target))


def member_of_usable(ctx: Context, target: Mapping[str, Any]) -> bool:
    return admin(ctx, target) or ("member" in ctx.roles and _usable(ctx, target))


ADD = Rule("add_image", project_member, "Create an image.")
DELETE = Rule("delete_image", project_member, "Delete an image.")
GET = Rule("get_image", reader_of_usable, "Show an image.")
LIST = Rule("get_images", project_reader, "List images.")
MODIFY = Rule("modify_image", project_member, "Change an image.")
PUBLICIZE = Rule("publicize_image", admin, "Make an image public.")
COMMUNITIZE = Rule("communitize_image", project_member, "Make an image a community image.")
DEACTIVATE = Rule("deactivate", project_member, "Stop downloads of an image.")
REACTIVATE = Rule("reactivate", project_member, "Allow downloads of an image again.")
DOWNLOAD = Rule("download_image", member_of_usable, "Read the bytes of an image.")
UPLOAD = Rule("upload_image", project_member, "Send the bytes of an image.")
GET_LOCATION = Rule("get_image_location", reader_of_usable, "See where the bytes of an image are.")
SET_LOCATION = Rule("set_image_location", project_member, "Say where the bytes of an image are.")
DELETE_LOCATION = Rule("delete_image_location", admin, "Take an image out of a store.")
COPY = Rule("copy_image", admin, "Copy an image to further stores.")
