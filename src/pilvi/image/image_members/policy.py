"""Who may share images, and answer offers. Upstream's names."""

from collections.abc import Mapping
from typing import Any

from pilvi.image.images.policy import reader_of_usable
from pilvi.kernel.context import Context
from pilvi.kernel.policy import Rule, admin, project_member


def the_member(ctx: Context, target: Mapping[str, Any]) -> bool:
    """Only the project that was offered the image answers."""
    own = bool(ctx.project_id) and target.get("member_id") == ctx.project_id
    return admin(ctx, target) or ("member" in ctx.roles and own)


ADD = Rule("add_member", project_member, "Share an image with a project.")
DELETE = Rule("delete_member", project_member, "Stop sharing an image with a project.")
GET = Rule("get_member", reader_of_usable, "Show a member of an image.")
LIST = Rule("get_members", reader_of_usable, "List the members of an image.")
MODIFY = Rule("modify_member", the_member, "Accept or reject a shared image.")
