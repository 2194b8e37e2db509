"""The route table: what a resource's `api.py` declares and the edge serves."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pilvi.kernel.microversion import minor
from pilvi.kernel.policy import Rule
from pilvi.kernel.wire import FOREVER, Body, View

Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)
Auth = Literal["token", "none", "host"]
Shape = Mapping[str, Any] | Callable[[int], Mapping[str, Any]]
"""A JSON Schema, or what gives it for a microversion."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A full answer, where a view is not enough: own status, headers or ready bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(slots=True)
class Route:
    service: str
    method: str
    path: str
    """Below the service's prefix, with `{names}` of the handler's parameters."""
    handler: Handler
    rule: Rule | None
    body: type[Body] | None = None
    view: type[View] | None = None
    status: int | Mapping[str, int] = 200
    since: int = 0
    until: int = FOREVER
    writes: bool = True
    auth: Auth = "token"
    action: str = ""
    """The body key, for an entry of an action table."""
    prepare: Callable[..., Any] | None = None
    """Slow or pure work on the body before any transaction is open, such as hashing a password: `prepare(body)`."""
    then: Callable[[Any, Any], Any] | None = None
    """Work after the transaction, such as asking a host for bytes: `then(ctx, result)` gives the result to render.
    A handler that has the Answer already needs none."""
    body_optional: bool = False
    raw: bool = False
    """The handler takes the decoded JSON as it is, whatever it is."""
    shape: Shape | None = None
    """What a raw body should look like, for the documents; the handler checks it in its own words."""
    quiet: bool = False
    """No event and no log line per request: agents report every few seconds."""
    media: tuple[str, ...] = ("application/json",)
    """Media types of the body that this route takes; anything else is 415."""
    parameters: tuple[str, ...] = ()
    query_parameters: tuple[str, ...] = ()
    wants: frozenset[str] = frozenset()
    name: str = field(init=False, default="")
    """What figures, events and spans call it, asked several times in each request."""

    def __post_init__(self) -> None:
        names = list(inspect.signature(self.handler).parameters)
        in_path = {part[1:-1] for part in self.path.split("/") if part.startswith("{")}
        self.parameters = tuple(n for n in names if n in in_path)
        self.wants = frozenset(names) & {"body", "query"}
        special = {"ctx", "tx", "body", "query", *in_path}
        self.query_parameters = tuple(n for n in names if n not in special)
        self.name = f"{self.method} {self.path}" + (f" {{{self.action}}}" if self.action else "")

    def status_at(self, version: int) -> int:
        if isinstance(self.status, int):
            return self.status
        best = [code for since, code in self.status.items() if minor(since) <= version]
        return best[-1]


class Routes:
    """Collects the routes of one resource. The methods are decorators for handlers."""

    def __init__(self, service: str, prefix: str = "") -> None:
        self.service = service
        self.prefix = prefix
        self.routes: list[Route] = []

    def _add(self, method: str, path: str, options: dict[str, Any]) -> Callable[[H], H]:
        options["since"] = minor(options.pop("since")) if "since" in options else 0
        options["until"] = minor(options.pop("until")) if "until" in options else FOREVER

        def register(handler: H) -> H:
            self.routes.append(Route(self.service, method, self.prefix + path, handler, **options))
            return handler

        return register

    def get(self, path: str = "", *, rule: Rule | None, **options: Any) -> Callable[[H], H]:
        return self._add("GET", path, {"rule": rule, "writes": False, **options})

    def head(self, path: str = "", *, rule: Rule | None, **options: Any) -> Callable[[H], H]:
        return self._add("HEAD", path, {"rule": rule, "writes": False, **options})

    def post(self, path: str = "", *, rule: Rule | None, **options: Any) -> Callable[[H], H]:
        return self._add("POST", path, {"rule": rule, **options})

    def put(self, path: str = "", *, rule: Rule | None, **options: Any) -> Callable[[H], H]:
        return self._add("PUT", path, {"rule": rule, **options})

    def patch(self, path: str = "", *, rule: Rule | None, **options: Any) -> Callable[[H], H]:
        return self._add("PATCH", path, {"rule": rule, **options})

    def delete(self, path: str = "", *, rule: Rule | None, **options: Any) -> Callable[[H], H]:
        return self._add("DELETE", path, {"rule": rule, "status": 204, **options})

    def action(self, path: str, key: str, *, rule: Rule | None, **options: Any) -> Callable[[H], H]:
        """An entry of the table behind `POST …/action`: the body's one key chooses the handler."""
        return self._add("POST", path, {"rule": rule, "action": key, "status": 202, **options})
