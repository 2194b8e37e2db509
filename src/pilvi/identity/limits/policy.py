from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin, authenticated

MODEL = rule("get_limit_model", authenticated, "Show how limits relate.")
SHOW = rule("get_limit", checks.limit_reader, "Show a limit.")
LIST = rule("list_limits", authenticated, "List limits: all, or those of one's own project or domain.")
CREATE = rule("create_limits", admin, "Set limits.")
UPDATE = rule("update_limit", admin, "Change a limit.")
DELETE = rule("delete_limit", admin, "Delete a limit.")
