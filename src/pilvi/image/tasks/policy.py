"""Who may see and begin tasks. Upstream's names."""

from pilvi.kernel.policy import Rule, admin

ACCESS = Rule("tasks_api_access", admin, "Use the tasks API.")
