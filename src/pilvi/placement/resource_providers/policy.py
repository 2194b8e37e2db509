from pilvi.placement.checks import rule

LIST = rule("resource_providers:list", "List resource providers.")
CREATE = rule("resource_providers:create", "Create a resource provider.")
SHOW = rule("resource_providers:show", "Show a resource provider.")
UPDATE = rule("resource_providers:update", "Change a resource provider.")
DELETE = rule("resource_providers:delete", "Delete a resource provider.")
