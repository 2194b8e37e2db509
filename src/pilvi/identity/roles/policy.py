from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_role", checks.role_reader, "Show a role.")
LIST = rule("list_roles", checks.role_reader, "List roles.")
CREATE = rule("create_role", admin, "Create a role.")
UPDATE = rule("update_role", admin, "Change a role.")
DELETE = rule("delete_role", admin, "Delete a role.")
SHOW_DOMAIN = rule("get_domain_role", checks.domain_reader, "Show a domain's role.")
LIST_DOMAIN = rule("list_domain_roles", checks.domain_reader, "List a domain's roles.")
CREATE_DOMAIN = rule("create_domain_role", admin, "Create a domain's role.")
UPDATE_DOMAIN = rule("update_domain_role", admin, "Change a domain's role.")
DELETE_DOMAIN = rule("delete_domain_role", admin, "Delete a domain's role.")
SHOW_IMPLIED = rule("get_implied_role", checks.system_reader, "Show that a role implies another.")
LIST_IMPLIED = rule("list_implied_roles", checks.system_reader, "List what a role implies.")
CREATE_IMPLIED = rule("create_implied_role", admin, "Have a role imply another.")
DELETE_IMPLIED = rule("delete_implied_role", admin, "Have a role imply another no more.")
LIST_INFERENCES = rule("list_role_inference_rules", checks.system_reader, "List all implications.")
CHECK_IMPLIED = rule("check_implied_role", checks.system_reader, "Check that a role implies another.")
