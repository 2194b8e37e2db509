from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PolicyBlob:
    id: str
    type: str
    blob: str
    extra: dict[str, Any] = field(default_factory=dict)
