"""Who may share images, and answer offers. Upstream's names."""

from pilvi.image.images.policy import reader_of_usable
from pilvi.kernel.policy import Rule, project_member
from pilvi.kernel.policy_language import said

the_member = said("role:admin or (role:member and project_id:%(member_id)s)")
"""Only the project that was offered the image answers."""


ADD = Rule("add_member", project_member, "Share an image with a project.")
DELETE = Rule("delete_member", project_member, "Stop sharing an image with a project.")
GET = Rule("get_member", reader_of_usable, "Show a member of an image.")
LIST = Rule("get_members", reader_of_usable, "List the members of an image.")
MODIFY = Rule("modify_member", the_member, "Accept or reject a shared image.")
