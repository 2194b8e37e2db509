from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_service", checks.system_reader, "Show a service.")
LIST = rule("list_services", checks.system_reader, "List services.")
CREATE = rule("create_service", admin, "Create a service.")
UPDATE = rule("update_service", admin, "Change a service.")
DELETE = rule("delete_service", admin, "Delete a service.")
