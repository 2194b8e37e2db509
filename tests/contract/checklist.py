"""The operations that identity, image and placement must have, with the tests that cover each of them.

`checklist.txt` names every operation: priority, service, method and path, from the shared list of features. Paths are
compared by their form, because the list and the route table have their own names for what stands in braces.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
LIST, TABLE = HERE / "checklist.txt", HERE / "operations.txt"


@dataclass(frozen=True, slots=True)
class Operation:
    priority: str
    service: str
    method: str
    path: str
    refusal: str = ""
    """The test that shows that it is refused, as it should be."""

    @property
    def name(self) -> str:
        return f"{self.priority} {self.service:9} {self.method:6} {self.path}"

    def matches(self, route: str) -> bool:
        """Whether the route, as `service METHOD /path` below the service's root, is this operation."""
        service, method, path = route.split(" ")
        return service == self.service and method == self.method and _form(path) == _form(self.path)


def _form(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def operations() -> Iterator[Operation]:
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            yield Operation(*line.split())


def table(tests: Mapping[str, Sequence[str]]) -> str:
    """One line of each operation: one test that got an answer from it, and how many more did."""
    lines = [
        "# Written by `python -m tests.contract.operations`. An operation, a test that covers it, how many tests do.",
        "",
    ]
    for operation in operations():
        found = sorted({test for route, named in tests.items() if operation.matches(route) for test in named})
        shown = f"{_best(found, operation)} {len(found)}" if found else "-"
        shown = f"{operation.refusal} refused" if operation.refusal else shown
        lines.append(f"{operation.name:98} | {shown}")
    return "\n".join(lines) + "\n"


def _best(found: Sequence[str], operation: Operation) -> str:
    """A test of the service itself says more than one that only passed by."""
    own = [test for test in found if f"/{operation.service}/" in test or f"test_{operation.service}" in test]
    return (own or list(found))[0]
