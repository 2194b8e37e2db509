from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_endpoint", checks.system_reader, "Show an endpoint.")
LIST = rule("list_endpoints", checks.system_reader, "List endpoints.")
CREATE = rule("create_endpoint", admin, "Create an endpoint.")
UPDATE = rule("update_endpoint", admin, "Change an endpoint.")
DELETE = rule("delete_endpoint", admin, "Delete an endpoint.")
