"""What the contract tests saw of each route: what it reads of queries and headers, and what it answers."""

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pilvi.kernel.routing import Route

FILE: Final = Path(__file__).parent / "recorded.json"


@dataclass(frozen=True, slots=True)
class Seen:
    """Nothing at all for a route that no test has called yet."""

    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    answers: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    """Status of a success → JSON Schema of its body, where there is a body that no view describes."""


@functools.cache
def _all() -> dict[str, Any]:
    if not FILE.exists():
        return {}
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def seen(service: str, route: Route) -> Seen:
    """A HEAD is made from the GET of the same path and was seen with it."""
    found = _all().get(f"{service} {route.name}")
    if found is None and route.method == "HEAD":
        found = _all().get(f"{service} GET {route.path}")
    if found is None:
        return Seen()
    answers = {int(status): schema for status, schema in found["answers"].items()}
    return Seen(tuple(found["query"]), tuple(found["headers"]), answers)
