from pilvi.kernel.policy import admin_or_service
from pilvi.kernel.policy_language import said
from pilvi.placement.checks import rule

OF_PROVIDER = rule("resource_providers:usages", "Show what is used of a provider.")
OF_PROJECT = rule(
    "usages",
    "Show what a project uses.",
    said(f"{admin_or_service.text} or (role:reader and project_id:%(project_id)s)"),
)
