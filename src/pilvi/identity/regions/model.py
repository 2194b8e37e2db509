from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Region:
    id: str
    description: str
    parent_region_id: str | None
    extra: dict[str, Any] = field(default_factory=dict)
