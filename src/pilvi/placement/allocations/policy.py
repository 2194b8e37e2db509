from pilvi.placement.checks import rule

SHOW = rule("allocations:list", "Show what a consumer holds.")
UPDATE = rule("allocations:update", "Set what a consumer holds.")
MANAGE = rule("allocations:manage", "Set what several consumers hold.")
DELETE = rule("allocations:delete", "Release what a consumer holds.")
OF_PROVIDER = rule("resource_providers:allocations:list", "List what is held of a provider.")
