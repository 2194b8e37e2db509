from pilvi.placement.checks import rule

LIST = rule("resource_providers:aggregates:list", "List the aggregates of a provider.")
UPDATE = rule("resource_providers:aggregates:update", "Set the aggregates of a provider.")
