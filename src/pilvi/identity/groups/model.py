from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    name: str
    domain_id: str
    description: str
    extra: dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    """Empty: a group of ours; DIRECTORY: one of a directory; the group's own id: one that the directory has no more."""
