from pilvi.identity import checks
from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin

SHOW = rule("get_consumer", checks.system_reader, "Show an OAuth consumer.")
LIST = rule("list_consumers", checks.system_reader, "List OAuth consumers.")
CREATE = rule("create_consumer", admin, "Create an OAuth consumer.")
UPDATE = rule("update_consumer", admin, "Change an OAuth consumer.")
DELETE = rule("delete_consumer", admin, "Delete an OAuth consumer.")
