from pilvi.identity import checks
from pilvi.identity.checks import rule

SHOW = rule("get_group", checks.domain_reader, "Show a group.")
LIST = rule("list_groups", checks.domain_reader, "List groups.")
LIST_OF_USER = rule("list_groups_for_user", checks.owner_or_domain_reader, "List the groups of a user.")
CREATE = rule("create_group", checks.domain_manager, "Create a group.")
UPDATE = rule("update_group", checks.domain_manager, "Change a group.")
DELETE = rule("delete_group", checks.domain_manager, "Delete a group.")
LIST_USERS = rule("list_users_in_group", checks.domain_reader, "List the users in a group.")
CHECK_USER = rule("check_user_in_group", checks.domain_reader, "Check whether a user is in a group.")
ADD_USER = rule("add_user_to_group", checks.domain_manager, "Put a user into a group.")
REMOVE_USER = rule("remove_user_from_group", checks.domain_manager, "Take a user out of a group.")
