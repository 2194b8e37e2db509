"""Who may do what with rules of security groups."""

from pilvi.kernel.policy import Rule, project_member, project_reader

CREATE = Rule("create_security_group_rule", project_member, "Make a rule in an own security group.")
SHOW = Rule("get_security_group_rule", project_reader, "Show a rule.")
DELETE = Rule("delete_security_group_rule", project_member, "Delete a rule.")
