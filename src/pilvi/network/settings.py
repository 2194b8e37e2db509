"""What the network service takes from the configuration; set once when its routes are gathered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

OVERLAY_BYTES = 50
"""What a tunnel header takes from every packet."""


@dataclass(slots=True)
class Settings:
    mtu: int = 1500
    """Of the physical network; project networks have less by the tunnel header."""
    dns_domain: str = "pilvi.internal"
    quotas: Mapping[str, int] = field(default_factory=dict)

    @property
    def overlay_mtu(self) -> int:
        return self.mtu - OVERLAY_BYTES


current = Settings()
