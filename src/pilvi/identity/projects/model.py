"""A project, or a domain: the root of a tree of projects and the home of users and groups."""

from dataclasses import dataclass, field
from typing import Any

DEEPEST = 5
"""Levels of projects in a tree, the domain not counted."""
TAGS_LIMIT = 80


@dataclass(frozen=True, slots=True)
class Project:
    id: str
    name: str
    domain_id: str
    """Empty for a domain."""
    parent_id: str
    """The domain itself for a project on the first level; empty for a domain."""
    is_domain: bool
    enabled: bool
    description: str
    tags: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    tokens_after: int = 0
    """Tokens issued before this microsecond do not count any more."""

    @property
    def home_domain_id(self) -> str:
        """The domain in whose tree this is: itself, when it is one."""
        return self.domain_id or self.id
