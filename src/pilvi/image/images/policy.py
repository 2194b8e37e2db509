"""Who may do what with images. Upstream's names."""

from pilvi.kernel.policy import Rule, admin, project_member, project_reader
from pilvi.kernel.policy_language import said

_USABLE = "project_id:%(project_id)s or 'public':%(visibility)s or 'community':%(visibility)s or True:%(is_member)s"
"""The image is the caller's own, everybody's, or shared with the caller's project."""
reader_of_usable = said(f"role:admin or (role:reader and ({_USABLE}))")
member_of_usable = said(f"role:admin or (role:member and ({_USABLE}))")


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
