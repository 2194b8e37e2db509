"""Who may see and set limits."""

from pilvi.kernel.policy import Rule, admin, project_reader

LIST = Rule("get_quotas", admin, "List the projects that have limits of their own.")
SHOW = Rule("get_quota", project_reader, "Show a project's limits.")
UPDATE = Rule("update_quota", admin, "Change a project's limits.")
DELETE = Rule("delete_quota", admin, "Put a project back to the default limits.")
