"""Who may do what with ports, and with which of their attributes."""

from pilvi.kernel.policy import Rule, admin_or_service
from pilvi.kernel.policy_language import said

_TRUSTED = admin_or_service.text
_OF_NETWORK = "project_id:%(network_project_id)s"
_network_owner = said(f"{_TRUSTED} or (role:member and {_OF_NETWORK})")
_reader = said(f"{_TRUSTED} or (role:reader and (project_id:%(project_id)s or {_OF_NETWORK}))")
_member = said(f"{_TRUSTED} or (role:member and project_id:%(project_id)s)")
_member_or_network_owner = said(f"{_TRUSTED} or (role:member and (project_id:%(project_id)s or {_OF_NETWORK}))")


CREATE = Rule("create_port", _member, "Make a port.")
SHOW = Rule("get_port", _reader, "Show a port.")
UPDATE = Rule("update_port", _member, "Change a port.")
DELETE = Rule("delete_port", _member_or_network_owner, "Delete a port.")
BINDING = Rule("get_port:binding:host_id", admin_or_service, "See where a port is bound.")
FIXED_ADDRESS = Rule("create_port:fixed_ips:ip_address", _network_owner, "Choose an address in somebody's network.")
SERVICE_OWNER = Rule("create_port:device_owner", _network_owner, "Make a port that claims to be a network service.")


def _attributes(verb: str) -> dict[str, Rule]:
    return {
        "mac_address": Rule(f"{verb}_port:mac_address", _network_owner, "Choose the MAC address of a port."),
        "port_security_enabled": Rule(f"{verb}_port:port_security_enabled", _network_owner, "Switch port security."),
        "allowed_address_pairs": Rule(f"{verb}_port:allowed_address_pairs", _network_owner, "Let more addresses pass."),
        "host": Rule(f"{verb}_port:binding:host_id", admin_or_service, "Bind a port to a host."),
        "profile": Rule(f"{verb}_port:binding:profile", admin_or_service, "Tell the network driver details."),
    }


CREATE_ATTRIBUTES = _attributes("create")
UPDATE_ATTRIBUTES = _attributes("update")
