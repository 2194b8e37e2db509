"""Who may do what with floating IPs."""

from pilvi.kernel.policy import Rule, project_manager, project_member, project_reader

CREATE = Rule("create_floatingip", project_member, "Take a floating IP.")
CREATE_ADDRESS = Rule("create_floatingip:floating_ip_address", project_manager, "Choose the address of a floating IP.")
SHOW = Rule("get_floatingip", project_reader, "Show a floating IP.")
UPDATE = Rule("update_floatingip", project_member, "Associate a floating IP.")
DELETE = Rule("delete_floatingip", project_member, "Give back a floating IP.")
