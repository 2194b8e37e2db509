from pilvi.placement.checks import rule

LIST = rule("traits:list", "List traits.")
SHOW = rule("traits:show", "Show a trait.")
UPDATE = rule("traits:update", "Create a trait.")
DELETE = rule("traits:delete", "Delete a trait.")
PROVIDER_LIST = rule("resource_providers:traits:list", "List the traits of a provider.")
PROVIDER_UPDATE = rule("resource_providers:traits:update", "Set the traits of a provider.")
PROVIDER_DELETE = rule("resource_providers:traits:delete", "Remove the traits of a provider.")
