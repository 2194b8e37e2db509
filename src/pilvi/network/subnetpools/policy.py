"""Who may do what with subnet pools."""

from pilvi.kernel.policy import Rule, admin, project_member, project_reader

CREATE = Rule("create_subnetpool", project_member, "Make a subnet pool.")
SHOW = Rule("get_subnetpool", project_reader, "Show a subnet pool.")
UPDATE = Rule("update_subnetpool", project_member, "Change a subnet pool.")
DELETE = Rule("delete_subnetpool", project_member, "Delete a subnet pool.")
ATTRIBUTES = {
    "shared": Rule("create_subnetpool:shared", admin, "Make a subnet pool that everybody may use."),
    "is_default": Rule("create_subnetpool:is_default", admin, "Make the subnet pool that is used without a name."),
}
