"""Who may do what with subnets."""

from pilvi.kernel.policy import Rule, project_member, project_reader

CREATE = Rule("create_subnet", project_member, "Make a subnet in an own network.")
SHOW = Rule("get_subnet", project_reader, "Show a subnet.")
UPDATE = Rule("update_subnet", project_member, "Change a subnet.")
DELETE = Rule("delete_subnet", project_member, "Delete a subnet.")
