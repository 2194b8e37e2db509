"""A network: what ports on it hear of each other."""

from dataclasses import dataclass, field

from pilvi.network.standard.model import Standard, invalid

TUNNELED = ("vxlan",)
FLAT = ("flat",)
SEGMENT_LIMIT = 2**24
ZONE_LIMIT = 65535
OUTSIDE_WORLD = "external"
"""The physical network that stands for what lies outside of the cloud: the host has it as a namespace."""


@dataclass(slots=True, kw_only=True)
class Network(Standard):
    admin_state_up: bool
    mtu: int
    external: bool
    is_default: bool
    port_security_enabled: bool
    network_type: str
    physical_network: str | None
    segmentation_id: int | None
    zone: int
    """Conntrack zone on every host."""
    dns_domain: str
    availability_zone_hints: list[str]
    shared: bool = False
    subnets: list[str] = field(default_factory=list)
    scopes: dict[int, str] = field(default_factory=dict)
    """IP version → address scope."""


def check_provider(network_type: str | None, physical_network: str | None, segmentation_id: int | None) -> str:
    """The network type meant; refuses what no host can carry."""
    kind = network_type or ("flat" if physical_network else "vxlan")
    if kind not in (*TUNNELED, *FLAT):
        raise invalid(f"provider:network_type {kind!r} is not supported; use vxlan or flat.")
    if kind in FLAT and not physical_network:
        raise invalid("physical_network required for flat provider network.")
    if kind in FLAT and segmentation_id is not None:
        raise invalid("segmentation_id prohibited for flat provider network.")
    if kind in TUNNELED and physical_network:
        raise invalid(f"provider:physical_network specified for {kind} network.")
    if segmentation_id is not None and not 1 <= segmentation_id < SEGMENT_LIMIT:
        raise invalid(f"provider:segmentation_id must be between 1 and {SEGMENT_LIMIT - 1}.")
    return kind
