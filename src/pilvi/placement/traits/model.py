"""Names of traits: the standard ones are data, one's own begin with CUSTOM_."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

CUSTOM = re.compile(r"^CUSTOM_[A-Z0-9_]+$")
LONGEST = 255
SHARING = "MISC_SHARES_VIA_AGGREGATE"


@cache
def standard() -> frozenset[str]:
    text = (resources.files("pilvi.placement.traits") / "standard_traits.txt").read_text()
    return frozenset(text.split())


def in_order(names: Iterable[str]) -> list[str]:
    """Standard ones first."""
    return sorted(names, key=lambda name: (name.startswith("CUSTOM_"), name))


def is_custom(name: str) -> bool:
    return len(name) <= LONGEST and CUSTOM.match(name) is not None


@dataclass(frozen=True, slots=True)
class Trait:
    name: str
    updated_at: str | None
    """None for the standard ones."""
