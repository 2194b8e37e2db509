"""A grant, and what grants come to for one user."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

ActorType = Literal["user", "group"]
TargetType = Literal["project", "domain", "system"]
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Assignment:
    actor_type: str
    actor_id: str
    target_type: str
    target_id: str
    role_id: str
    inherited: bool
    """Counts for the projects below the target, not for the target itself."""


@dataclass(frozen=True, slots=True)
class Effective:
    """One role that one user has on one target, and the grant that it comes from."""

    assignment: Assignment
    """With the user, target and role that it comes to."""
    source: Assignment
    """As it was given."""
    prior_role_id: str = ""
    """The role that implies this one, if it was not given itself."""


def effective_role_ids(grants: Iterable[Assignment], target: tuple[str, str], above: set[tuple[str, str]]) -> set[str]:
    """Roles given on the target itself, or inherited from what is above it."""
    found = set()
    for grant in grants:
        place = (grant.target_type, grant.target_id)
        if (place in above) if grant.inherited else (place == target):
            found.add(grant.role_id)
    return found


def spread(source: Assignment, users: Iterable[str], targets: Iterable[tuple[str, str]]) -> list[Effective]:
    """A grant for each user that it reaches on each target that it reaches."""
    return [
        Effective(
            replace(source, actor_type="user", actor_id=user, target_type=kind, target_id=target, inherited=False),
            source,
        )
        for user in users
        for kind, target in targets
    ]
