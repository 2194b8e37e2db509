"""What the auditor finds, and what it says of each invariant. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

VIOLATIONS_MOST = 100
"""How many of one invariant are named; more would tell nobody more."""

Kind = Literal["safety", "liveness"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    invariant: str
    resource_type: str
    resource_id: str
    text: str
    """What is wrong, with the numbers, for operators."""
    mark: str = ""
    """What must stay the same for a liveness violation to be the same one; progress changes it."""

    @property
    def key(self) -> str:
        return f"{self.resource_type} {self.resource_id} {self.mark}".strip()


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise, how to look whether it is kept, and of how many objects."""

    name: str
    promise: str
    check: Callable[[Any], list[Violation]]
    """From a transaction to what breaks the promise; reads only."""
    population: Callable[[Any], int]
    kind: Kind = "safety"
    """Safety holds at every moment. Liveness holds again soon: a violation counts once it is `grace_s` old."""
    grace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the last look at one invariant found."""

    name: str
    checked_at: str
    objects: int
    violations: int
    since: str | None
    """Since when the invariant has been violated without a break."""
    took_ms: float
    suspects: Mapping[str, float] = field(default_factory=dict)
    """Violations that are younger than the grace: key → first seen."""
    examples: tuple[Mapping[str, str], ...] = ()


def ripen(
    found: list[Violation], suspects: Mapping[str, float], now: float, grace_s: float
) -> tuple[list[Violation], dict[str, float]]:
    """Which violations have lasted long enough to count, and since when each one is known."""
    known = {violation.key: min(suspects.get(violation.key, now), now) for violation in found}
    return [violation for violation in found if now - known[violation.key] >= grace_s], known
