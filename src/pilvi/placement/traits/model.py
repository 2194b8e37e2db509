"""Names of traits: the standard ones are data, one's own begin with CUSTOM_."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

CUSTOM = re.compile(r"^CUSTOM_[A-Z0-9_]+$")
LONGEST = 255
SHARING = "MISC_SHARES_VIA_AGGREGATE"


@cache
def standard() -> frozenset[str]:
    text = (resources.files("pilvi.placement.traits") / "standard_traits.txt").read_text()
    return frozenset(text.split())


@lru_cache(maxsize=4096)
def in_order(names: frozenset[str]) -> tuple[str, ...]:
    """Standard ones first. Many providers have the same ones, so the answers are kept."""
    return tuple(sorted(names, key=lambda name: (name.startswith("CUSTOM_"), name)))


def is_custom(name: str) -> bool:
    return len(name) <= LONGEST and CUSTOM.match(name) is not None


@dataclass(frozen=True, slots=True)
class Trait:
    name: str
    updated_at: str | None
    """None for the standard ones."""
