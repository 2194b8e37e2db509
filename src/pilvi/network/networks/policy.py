"""Who may do what with networks, and with which of their attributes."""

from pilvi.kernel.policy import Rule, admin, project_member, project_reader

CREATE = Rule("create_network", project_member, "Make a network.")
SHOW = Rule("get_network", project_reader, "Show a network.")
UPDATE = Rule("update_network", project_member, "Change a network.")
DELETE = Rule("delete_network", project_member, "Delete a network.")
PROVIDER = Rule("get_network:provider:network_type", admin, "See how a network is carried.")

_RESTRICTED = {
    "shared": "shared", "external": "router:external", "is_default": "is_default",
    "network_type": "provider:network_type", "physical_network": "provider:physical_network",
    "segmentation_id": "provider:segmentation_id",
}  # fmt: skip
CREATE_ATTRIBUTES = {
    attribute: Rule(f"create_network:{wire}", admin, f"Make a network with {wire}.")
    for attribute, wire in _RESTRICTED.items()
}
UPDATE_ATTRIBUTES = {
    attribute: Rule(f"update_network:{wire}", admin, f"Change {wire} of a network.")
    for attribute, wire in _RESTRICTED.items()
}
