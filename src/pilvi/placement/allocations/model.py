"""Who holds what, and the pure part of changing it: what the change comes to per inventory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Amounts = Mapping[str, Mapping[str, int]]
"""Provider → class → amount."""
UNKNOWN_PROJECT = UNKNOWN_USER = "00000000-0000-0000-0000-000000000000"
"""Owner of what was allocated before 1.8, when nobody was named."""
UNKNOWN_TYPE = "unknown"


@dataclass(frozen=True, slots=True)
class Consumer:
    uuid: str
    generation: int
    project_id: str
    user_id: str
    consumer_type: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Allocation:
    consumer_uuid: str
    provider_uuid: str
    resource_class: str
    used: int
    updated_at: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a consumer shall hold from now on, and whose it is."""

    consumer_uuid: str
    amounts: Amounts
    project_id: str = UNKNOWN_PROJECT
    user_id: str = UNKNOWN_USER
    consumer_type: str | None = None
    keeps_owner: bool = False
    """Project and user are not given: an existing consumer keeps its own."""


@dataclass(slots=True)
class Change:
    """What one inventory goes through: what was held of it, and each amount that shall be held."""

    before: int = 0
    amounts: list[int] = field(default_factory=list)

    @property
    def after(self) -> int:
        return sum(self.amounts)


def changes(before: Iterable[Allocation], wishes: Iterable[Wish]) -> dict[tuple[str, str], Change]:
    """Per provider and class, in one order for everybody, so that two who change the same never wait in a circle."""
    found: dict[tuple[str, str], Change] = {}
    for held in before:
        found.setdefault((held.provider_uuid, held.resource_class), Change()).before += held.used
    for wish in wishes:
        for provider, amounts in wish.amounts.items():
            for resource_class, amount in amounts.items():
                if amount:
                    found.setdefault((provider, resource_class), Change()).amounts.append(amount)
    return dict(sorted(found.items()))
