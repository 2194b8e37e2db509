from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_identity_provider", checks.system_reader, "Show an identity provider.")
LIST = rule("list_identity_providers", checks.system_reader, "List identity providers.")
CREATE = rule("create_identity_provider", admin, "Create an identity provider.")
UPDATE = rule("update_identity_provider", admin, "Change an identity provider.")
DELETE = rule("delete_identity_provider", admin, "Delete an identity provider.")
SHOW_PROTOCOL = rule("get_protocol", checks.system_reader, "Show a protocol.")
LIST_PROTOCOLS = rule("list_protocols", checks.system_reader, "List protocols.")
CREATE_PROTOCOL = rule("create_protocol", admin, "Create a protocol.")
UPDATE_PROTOCOL = rule("update_protocol", admin, "Change a protocol.")
DELETE_PROTOCOL = rule("delete_protocol", admin, "Delete a protocol.")
