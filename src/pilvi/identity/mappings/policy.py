from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_mapping", checks.system_reader, "Show a mapping.")
LIST = rule("list_mappings", checks.system_reader, "List mappings.")
CREATE = rule("create_mapping", admin, "Create a mapping.")
UPDATE = rule("update_mapping", admin, "Change a mapping.")
DELETE = rule("delete_mapping", admin, "Delete a mapping.")
