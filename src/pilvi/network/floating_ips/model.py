"""A floating IP: an address of an external network that stands for a fixed one."""

from dataclasses import dataclass, field
from typing import Any

from pilvi.network.standard.model import Standard


@dataclass(slots=True, kw_only=True)
class FloatingIp(Standard):
    floating_network_id: str
    floating_ip_address: str
    floating_port_id: str
    port_id: str | None
    fixed_ip_address: str | None
    router_id: str | None
    status: str
    dns_name: str
    dns_domain: str
    port: Any = field(default=None)
    """The port it is associated with, for its details."""
