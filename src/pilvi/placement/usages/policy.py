from pilvi.kernel.policy import admin_or_service, project_reader
from pilvi.placement.checks import rule

OF_PROVIDER = rule("resource_providers:usages", "Show what is used of a provider.")
OF_PROJECT = rule(
    "usages",
    "Show what a project uses.",
    lambda ctx, target: admin_or_service(ctx, target) or project_reader(ctx, target),
)
