from pilvi.identity.checks import rule
from pilvi.kernel.policy import admin, authenticated

SHOW = rule("get_region", authenticated, "Show a region.")
LIST = rule("list_regions", authenticated, "List regions.")
CREATE = rule("create_region", admin, "Create a region.")
UPDATE = rule("update_region", admin, "Change a region.")
DELETE = rule("delete_region", admin, "Delete a region.")
