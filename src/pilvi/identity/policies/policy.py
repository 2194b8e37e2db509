from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_policy", checks.system_reader, "Show a policy document.")
LIST = rule("list_policies", checks.system_reader, "List policy documents.")
CREATE = rule("create_policy", admin, "Create a policy document.")
UPDATE = rule("update_policy", admin, "Change a policy document.")
DELETE = rule("delete_policy", admin, "Delete a policy document.")
