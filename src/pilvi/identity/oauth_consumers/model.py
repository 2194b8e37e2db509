from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Consumer:
    id: str
    description: str
    encrypted_secret: str
    extra: dict[str, Any] = field(default_factory=dict)
