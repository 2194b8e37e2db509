from pilvi.identity import checks
from pilvi.identity.checks import rule

SHOW = rule("get_user", checks.owner_or_domain_reader, "Show a user.")
LIST = rule("list_users", checks.domain_reader, "List users.")
CREATE = rule("create_user", checks.domain_manager, "Create a user.")
UPDATE = rule("update_user", checks.domain_manager, "Change a user.")
DELETE = rule("delete_user", checks.domain_manager, "Delete a user.")
REVOKE_TOKENS = rule("revoke_user_tokens", checks.owner_or_admin, "Revoke all tokens of a user.")
