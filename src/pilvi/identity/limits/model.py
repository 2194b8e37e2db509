"""A limit of one project or domain, and the pure rule of two levels."""

from collections.abc import Iterable
from dataclasses import dataclass

MODELS = {
    "flat": "Each project has its own limits; where it stands in a tree does not matter.",
    "strict_two_level": "A child never has a higher limit than its parent, in trees of two levels.",
}
UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Limit:
    id: str
    registered_limit_id: str
    project_id: str | None
    domain_id: str | None
    resource_limit: int
    description: str | None


def exceeds(child: int, parent: int) -> bool:
    if parent == UNLIMITED:
        return False
    return child == UNLIMITED or child > parent


def is_below_children(parent: int, children: Iterable[int]) -> bool:
    """Whether a limit would be lower than one of those below it."""
    return any(exceeds(child, parent) for child in children)
