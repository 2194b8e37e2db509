"""A flavor: how much of a host a server gets."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Flavor:
    id: str
    name: str
    ram: int
    """MiB."""
    vcpus: int
    disk: int
    """Root disk, GiB; 0 means as large as the image."""
    ephemeral: int
    """GiB."""
    swap: int
    """MiB."""
    rxtx_factor: float
    is_public: bool
    description: str | None
    created_at: str
    extra_specs: dict[str, str] = field(default_factory=dict)
    disabled: bool = False
