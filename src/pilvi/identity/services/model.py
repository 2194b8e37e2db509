from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Service:
    id: str
    type: str
    name: str
    description: str
    enabled: bool
    extra: dict[str, Any] = field(default_factory=dict)
