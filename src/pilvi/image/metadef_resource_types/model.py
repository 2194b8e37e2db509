"""For which kinds of resources a namespace is meant."""

from dataclasses import dataclass
from typing import Final

STANDARD: Final = (
    "OS::Cinder::Volume", "OS::Cinder::VolumeType", "OS::Glance::Image", "OS::Nova::Aggregate", "OS::Nova::Flavor",
    "OS::Nova::Server", "OS::Trove::Instance",
)  # fmt: skip
"""What there is without anybody having said so."""


@dataclass(frozen=True, slots=True)
class Association:
    namespace_id: str
    name: str
    prefix: str | None
    properties_target: str | None
    created_at: str
    updated_at: str
