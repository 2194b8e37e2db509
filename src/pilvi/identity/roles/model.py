"""A role, and the pure closure over implied roles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Role:
    id: str
    name: str
    domain_id: str
    """Empty for a role of the whole cloud. A domain's own role only serves to imply others."""
    description: str
    options: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graph:
    """All roles and implications at one moment."""

    roles: Mapping[str, Role]
    implied: Mapping[str, tuple[str, ...]]

    def closure(self, role_ids: Iterable[str]) -> set[str]:
        """These roles and all that they imply, cycles included."""
        found: set[str] = set()
        todo = list(role_ids)
        while todo:
            id = todo.pop()
            if id not in found and id in self.roles:
                found.add(id)
                todo.extend(self.implied.get(id, ()))
        return found

    def in_force(self, role_ids: Iterable[str]) -> list[Role]:
        """The cloud's own roles among the closure, by name: what a token carries."""
        found = [self.roles[id] for id in self.closure(role_ids) if not self.roles[id].domain_id]
        return sorted(found, key=lambda role: role.name)
