from pilvi.placement.checks import rule

LIST = rule("resource_classes:list", "List resource classes.")
CREATE = rule("resource_classes:create", "Create a resource class.")
SHOW = rule("resource_classes:show", "Show a resource class.")
UPDATE = rule("resource_classes:update", "Rename or create a resource class.")
DELETE = rule("resource_classes:delete", "Delete a resource class.")
