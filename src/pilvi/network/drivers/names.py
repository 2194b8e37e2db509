"""Names of namespaces and links: short, stable, and recognisable as ours. Pure."""

import hashlib
import re

# Links of the data-plane namespace, by what they are. The kernel allows 15 characters.
BRIDGE = "br"  # one per network
TAP = "tp"  # one per port that a guest uses
ROUTER_LEG = "rd"  # our end of a router interface
GATEWAY_LEG = "gd"  # our end of a router's way out
SERVICE_LEG = "sd"  # our end of a network's DHCP and metadata port
WORLD_LEG = "xd"  # our end of an external network's way to the outside namespace

# The other ends of the same legs, in the router's, the service's and the outside namespace.
ROUTER_LINK = "rp"
GATEWAY_LINK = "gp"
SERVICE_LINK = "svc"
WORLD_LINK = "xp"

_OWN_LINK = re.compile(r"(br|tp|rd|rp|gd|gp|sd|xd|xp)[0-9a-f]{11}|svc")
_TAG = re.compile(r"[0-9a-f]{8}")


def digest(identifier: str) -> str:
    """Eleven hexadecimal digits that stand for an id of any length."""
    return hashlib.blake2b(identifier.encode(), digest_size=6).hexdigest()[:11]


def link_name(prefix: str, identifier: str) -> str:
    return prefix + digest(identifier)


def tap_name(port_id: str) -> str:
    """The tap of a port; the same on every host and for ever."""
    return link_name(TAP, port_id)


def bridge_name(network_id: str) -> str:
    return link_name(BRIDGE, network_id)


def is_own_link(name: str) -> bool:
    """Whether we may delete a link of this name: an operator's own NIC in our namespace is never ours."""
    return _OWN_LINK.fullmatch(name) is not None


def local_mac(identifier: str) -> str:
    """A stable, locally administered MAC for a device that has no port of its own (bridges, veth ends)."""
    raw = hashlib.blake2b(identifier.encode(), digest_size=5).digest()
    return "0e:" + raw.hex(":")


def namespace_prefix(tag: str) -> str:
    if not _TAG.fullmatch(tag):
        raise ValueError(f"The cloud's tag must be 8 hexadecimal digits, not {tag!r}.")
    return f"pv{tag}-"


def data_plane(tag: str) -> str:
    return namespace_prefix(tag) + "dp"


def outside_world(tag: str) -> str:
    return namespace_prefix(tag) + "x"


def router_namespace(tag: str, router_id: str) -> str:
    return namespace_prefix(tag) + "r-" + _first_hex(router_id)


def service_namespace(tag: str, network_id: str) -> str:
    return namespace_prefix(tag) + "n-" + _first_hex(network_id)


def _first_hex(identifier: str) -> str:
    digits = identifier.replace("-", "")[:8].lower()
    return digits if _TAG.fullmatch(digits) else digest(identifier)[:8]
