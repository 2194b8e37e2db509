from dataclasses import dataclass
from typing import Any

FILTERS = frozenset({"interface", "service_id", "region_id", "enabled"})


@dataclass(frozen=True, slots=True)
class EndpointGroup:
    id: str
    name: str
    description: str
    filters: dict[str, Any]


def selects(filters: dict[str, Any], endpoint: Any) -> bool:
    """Whether the endpoint has all the values that a group asks for."""
    return all(getattr(endpoint, name) == value for name, value in filters.items())
