"""Who may do what with security groups."""

from pilvi.kernel.policy import Rule, project_member, project_reader

CREATE = Rule("create_security_group", project_member, "Make a security group.")
SHOW = Rule("get_security_group", project_reader, "Show a security group.")
UPDATE = Rule("update_security_group", project_member, "Change a security group.")
DELETE = Rule("delete_security_group", project_member, "Delete a security group.")
