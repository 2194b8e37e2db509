"""Who may do what with address scopes."""

from pilvi.kernel.policy import Rule, admin, project_member, project_reader

CREATE = Rule("create_address_scope", project_member, "Make an address scope.")
SHOW = Rule("get_address_scope", project_reader, "Show an address scope.")
UPDATE = Rule("update_address_scope", project_member, "Change an address scope.")
DELETE = Rule("delete_address_scope", project_member, "Delete an address scope.")
SHARED = Rule("create_address_scope:shared", admin, "Make or change an address scope that everybody may use.")
