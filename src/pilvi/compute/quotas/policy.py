"""Who may see and set limits."""

from pilvi.kernel.policy import Rule, admin, project_reader

SHOW = Rule("os_compute_api:os-quota-sets:show", project_reader, "Show a project's quota.")
DEFAULTS = Rule("os_compute_api:os-quota-sets:defaults", project_reader, "Show the default quota.")
DETAIL = Rule("os_compute_api:os-quota-sets:detail", project_reader, "Show a project's quota with its usage.")
UPDATE = Rule("os_compute_api:os-quota-sets:update", admin, "Change a project's quota.")
DELETE = Rule("os_compute_api:os-quota-sets:delete", admin, "Put a project back to the default quota.")
CLASS_SHOW = Rule("os_compute_api:os-quota-class-sets:show", admin, "Show the default quota class.")
CLASS_UPDATE = Rule("os_compute_api:os-quota-class-sets:update", admin, "Change the default quota class.")
LIMITS = Rule("os_compute_api:limits", project_reader, "Show limits and usage of the own project.")
OTHER_LIMITS = Rule("os_compute_api:limits:other_project", admin, "Show limits and usage of another project.")
