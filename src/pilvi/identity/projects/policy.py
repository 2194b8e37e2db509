from pilvi.identity import checks
from pilvi.identity.checks import rule

SHOW = rule("get_project", checks.project_or_domain_reader, "Show a project.")
LIST = rule("list_projects", checks.domain_reader, "List projects.")
LIST_OF_USER = rule("list_user_projects", checks.owner_or_domain_reader, "List the projects of a user.")
CREATE = rule("create_project", checks.domain_manager, "Create a project.")
UPDATE = rule("update_project", checks.domain_manager, "Change a project.")
DELETE = rule("delete_project", checks.domain_manager, "Delete a project.")
LIST_TAGS = rule("list_project_tags", checks.project_or_domain_reader, "List the tags of a project.")
SHOW_TAG = rule("get_project_tag", checks.project_or_domain_reader, "Check whether a project has a tag.")
REPLACE_TAGS = rule("update_project_tags", checks.domain_manager, "Replace all tags of a project.")
ADD_TAG = rule("create_project_tag", checks.domain_manager, "Add a tag to a project.")
REMOVE_TAGS = rule("delete_project_tags", checks.domain_manager, "Remove all tags of a project.")
REMOVE_TAG = rule("delete_project_tag", checks.domain_manager, "Remove a tag from a project.")
