"""Who may see and set tags: the same people as see and change the resource."""

from pilvi.kernel.policy import Rule, project_member, project_reader

COLLECTIONS = {
    "networks": "network", "subnets": "subnet", "ports": "port", "routers": "router", "floatingips": "floatingip",
    "security-groups": "security_group", "security-group-rules": "security_group_rule", "subnetpools": "subnetpool",
    "address-scopes": "address_scope",
}  # fmt: skip
"""Path → the name of one resource."""

SHOW = {name: Rule(f"get_{name}_tags", project_reader, f"See the tags of a {name}.") for name in COLLECTIONS.values()}
CREATE = {name: Rule(f"create_{name}_tags", project_member, f"Tag a {name}.") for name in COLLECTIONS.values()}
UPDATE = {name: Rule(f"update_{name}_tags", project_member, f"Retag a {name}.") for name in COLLECTIONS.values()}
DELETE = {name: Rule(f"delete_{name}_tags", project_member, f"Untag a {name}.") for name in COLLECTIONS.values()}
