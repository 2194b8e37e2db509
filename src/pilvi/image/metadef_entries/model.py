"""What stands in a namespace: objects, properties and tags. All are named once per kind."""

from dataclasses import dataclass
from typing import Any, Final

ENTRIES_LIMIT: Final = 1000
"""Of one kind in one namespace."""


@dataclass(frozen=True, slots=True)
class Entry:
    namespace_id: str
    kind: str
    """`object`, `property` or `tag`."""
    name: str
    definition: dict[str, Any]
    created_at: str
    updated_at: str
