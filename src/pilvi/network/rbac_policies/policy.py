"""Who may share what."""

from pilvi.kernel.policy import Rule, admin, project_member, project_reader

CREATE = Rule("create_rbac_policy", project_member, "Share an object.")
CREATE_EVERYBODY = Rule("create_rbac_policy:target_tenant", admin, "Share an object with everybody.")
SHOW = Rule("get_rbac_policy", project_reader, "Show how an object is shared.")
UPDATE = Rule("update_rbac_policy", project_member, "Share with another project.")
UPDATE_EVERYBODY = Rule("update_rbac_policy:target_tenant", admin, "Share with everybody from now on.")
DELETE = Rule("delete_rbac_policy", project_member, "Stop sharing.")
