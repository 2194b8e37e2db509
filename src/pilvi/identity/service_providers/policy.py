from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_service_provider", checks.system_reader, "Show a service provider.")
LIST = rule("list_service_providers", checks.system_reader, "List service providers.")
CREATE = rule("create_service_provider", admin, "Create a service provider.")
UPDATE = rule("update_service_provider", admin, "Change a service provider.")
DELETE = rule("delete_service_provider", admin, "Delete a service provider.")
