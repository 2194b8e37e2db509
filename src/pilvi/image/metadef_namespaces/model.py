"""A namespace of metadata definitions: which properties there are, for which kinds of resources, and what they mean."""

from dataclasses import dataclass
from typing import Final

NAMESPACE_LIMIT: Final = 80


@dataclass(frozen=True, slots=True)
class Namespace:
    id: str
    namespace: str
    display_name: str | None
    description: str | None
    visibility: str
    protected: bool
    owner: str
    created_at: str
    updated_at: str
