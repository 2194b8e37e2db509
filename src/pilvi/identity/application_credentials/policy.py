from pilvi.identity import checks
from pilvi.identity.checks import rule

SHOW = rule("get_application_credential", checks.owner_or_system_reader, "Show an application credential.")
LIST = rule("list_application_credentials", checks.owner_or_system_reader, "List a user's application credentials.")
CREATE = rule("create_application_credential", checks.owner, "Create an application credential for oneself.")
DELETE = rule("delete_application_credential", checks.owner_or_admin, "Delete an application credential.")
SHOW_RULE = rule("get_access_rule", checks.owner_or_system_reader, "Show an access rule.")
LIST_RULES = rule("list_access_rules", checks.owner_or_system_reader, "List a user's access rules.")
DELETE_RULE = rule("delete_access_rule", checks.owner_or_admin, "Delete an access rule.")
