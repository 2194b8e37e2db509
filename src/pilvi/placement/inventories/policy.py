from pilvi.placement.checks import rule

LIST = rule("resource_providers:inventories:list", "List the inventories of a provider.")
CREATE = rule("resource_providers:inventories:create", "Add an inventory to a provider.")
SHOW = rule("resource_providers:inventories:show", "Show an inventory.")
UPDATE = rule("resource_providers:inventories:update", "Change inventories.")
DELETE = rule("resource_providers:inventories:delete", "Delete inventories.")
