"""Writes down which route each test called, and what was asked and answered there.

    PILVI_WRITE_OPERATIONS=/tmp/seen pytest tests/contract tests/integration/live
    python -m tests.contract.operations /tmp/seen

The first command leaves one file of each process; the second makes `operations.txt` (the checklist with the tests that
cover it) and `pilvi/ops/openapi/recorded.json` of them. A route counts as covered when a test got a success from it;
tests that walk all routes without looking at what they answer do not count.
"""

import atexit
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pilvi.kernel import filters, http
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Route
from pilvi.ops.openapi.recorded import FILE as RECORDED
from tests.contract.checklist import TABLE, operations, table
from tests.contract.forms import form_of, merged

VARIABLE: Final = "PILVI_WRITE_OPERATIONS"
WALKERS: Final = ("test_policy_matrix", "test_api_fuzz", "test_openapi", "tests/fuzz", "test_operations_list")
FIXED: Final = frozenset(f"{o.service} {o.method} {o.path}" for o in operations() if "{" not in o.path)
PARAMETER: Final = re.compile(r"^(?!unknown)[A-Za-z][A-Za-z0-9_:.~-]{0,60}$")


@dataclass
class Notes:
    """Of one route."""

    query: set[str] = field(default_factory=set)
    headers: set[str] = field(default_factory=set)
    answers: dict[int, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        answers = {str(status): form for status, form in sorted(self.answers.items())}
        return {"query": sorted(self.query), "headers": sorted(self.headers), "answers": answers}


NOTES: Final[dict[str, Notes]] = {}
COVERED: Final[dict[str, set[str]]] = {}
"""`service METHOD /path` as the checklist has it → tests."""
_current: Final[ContextVar[Notes | None]] = ContextVar("current", default=None)


def current_test() -> str:
    """`tests/contract/identity/test_users.py::test_x`, without parameters; nothing outside tests."""
    named = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    return named.partition("[")[0]


def cover(service: str, method: str, route_path: str, path: str) -> None:
    """A test got a success. Where the checklist names this very path, the route in general does not count."""
    test = current_test()
    if not test or any(walker in test for walker in WALKERS):
        return
    fixed = f"{service} {method} {path}"
    name = fixed if fixed in FIXED else f"{service} {method} {route_path}"
    COVERED.setdefault(name, set()).add(test)


def cover_stream(method: str, path: str, status: int) -> None:
    """For what `live` serves; its tests say what they asked and what they got."""
    if VARIABLE in os.environ and status < 300:
        below = path.partition("?")[0].removeprefix("/image")
        cover("image", method, re.sub(r"(/images)/[^/]+/", r"\1/{id}/", below), below)


def asked(names: Iterable[str]) -> None:
    notes = _current.get()
    if notes is not None:
        notes.query |= {name for name in names if PARAMETER.match(name)}


class _ListeningQuery(Query):
    """Remembers which parameters the handler looks for."""

    __slots__ = ()

    def __contains__(self, name: str) -> bool:
        asked([name])
        return super().__contains__(name)

    def get(self, name: str, default: str | None = None) -> str | None:
        asked([name])
        return super().get(name, default)

    def all(self, name: str) -> list[str]:
        asked([name])
        return super().all(name)

    def filters(self, known: Iterable[str]) -> dict[str, list[str]]:
        known = list(known)
        asked(known)
        return super().filters(known)


def _listen(module: Any, name: str, parameters: Callable[..., Iterable[str]]) -> None:
    """Functions that turn any parameter into a condition know more names than a test uses."""
    inner = getattr(module, name)

    def outer(*given: Any, **more: Any) -> Any:
        asked(parameters(*given, **more))
        return inner(*given, **more)

    setattr(module, name, outer)


def keep(name: str, route: Route, notes: Notes, answer: Answer, query: Query) -> None:
    """Parameters that were sent count for handlers that look for any."""
    known = NOTES.setdefault(name, Notes())
    known.query |= notes.query | ({key for key in query if PARAMETER.match(key)} if notes.query else set())
    known.headers |= notes.headers
    form = form_of(answer.body) if route.view is None else None
    known.answers[answer.status] = merged(known.answers.get(answer.status), form)


def start() -> None:
    """Listen at the edge from now on."""
    from pilvi.compute.servers.service import lists as servers
    from pilvi.network.standard import store as standard

    inner = http.Edge._run

    def run(self: http.Edge, service: http.Service, route: Route, ctx: Any, req: Any, *more: Any) -> Answer:
        notes = Notes()
        token = _current.set(notes)
        header = ctx.header

        def listening(wanted: str) -> str | None:
            notes.headers.add(wanted)
            found: str | None = header(wanted)
            return found

        ctx.header = listening
        try:
            answer = inner(self, service, route, ctx, req, *more)
        finally:
            _current.reset(token)
        if answer.status < 400:
            root = service.root or service.prefix
            below = (service.prefix + route.path).removeprefix(root) or "/"
            cover(route.service, req.method, below, req.path.removeprefix(root) or "/")
            keep(f"{service.name} {route.name}", route, notes, answer, Query(req.query_string))
        return answer

    http.Edge._run = run  # type: ignore[method-assign]
    http.Query = _ListeningQuery  # type: ignore[misc]
    _listen(filters, "wishes", lambda query, columns: list(columns))
    _listen(standard, "_conditions", lambda of, query: [*of.filters, *of.attributes, *standard.TAG_FILTERS])
    _listen(servers, "_conditions", lambda *_: [*servers.COLUMNS, *servers.EVERYONE, *servers.SINCE])
    atexit.register(write)


def write() -> None:
    folder = Path(os.environ[VARIABLE])
    folder.mkdir(parents=True, exist_ok=True)
    covered = {name: sorted(tests) for name, tests in COVERED.items()}
    text = json.dumps({"routes": {name: notes.plain() for name, notes in NOTES.items()}, "tests": covered})
    (folder / f"{os.getpid()}.json").write_text(text)


# ---- what becomes of it --------------------------------------------------------------------------------------------


def gathered(folder: Path) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """What all processes have seen: routes, and the tests that covered operations."""
    routes: dict[str, dict[str, Any]] = {}
    tests: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.json")):
        seen = json.loads(path.read_text())
        for name, named in seen["tests"].items():
            tests.setdefault(name, set()).update(named)
        for name, one in seen["routes"].items():
            known = routes.setdefault(name, {"query": [], "headers": [], "answers": {}})
            for key in ("query", "headers"):
                known[key] = sorted({*known[key], *one[key]})
            for status, form in one["answers"].items():
                known["answers"][status] = merged(known["answers"].get(status), form)
    return dict(sorted(routes.items())), {name: sorted(named) for name, named in sorted(tests.items())}


def main(folder: Path) -> None:
    routes, tests = gathered(folder)
    lines = [f"{json.dumps(name)}: {json.dumps(seen, sort_keys=True)}" for name, seen in routes.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    TABLE.write_text(table(tests))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
