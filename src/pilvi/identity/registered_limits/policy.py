from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin, authenticated

SHOW = rule("get_registered_limit", authenticated, "Show a registered limit.")
LIST = rule("list_registered_limits", authenticated, "List registered limits.")
CREATE = rule("create_registered_limits", admin, "Register limits.")
UPDATE = rule("update_registered_limit", admin, "Change a registered limit.")
DELETE = rule("delete_registered_limit", admin, "Delete a registered limit.")
