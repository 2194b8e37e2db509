"""What is wrapped while traces are on: the database and the application of `api`."""

from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

from pilvi.kernel import clock, tracing
from pilvi.kernel.db import Compiler, Database, Tx
from pilvi.kernel.tracing import Open

Asked = ParamSpec("Asked")
T = TypeVar("T")

REQUEST_ID: Final = "x-openstack-request-id"


class TracedDatabase:
    """A database whose transactions are spans of the request or the turn that makes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.compiler: Compiler = database.compiler
        self.moment = database.moment

    def read(self, work: Callable[[Tx], T]) -> T:
        return self._timed("transaction read", self._database.read, work)

    def write(self, work: Callable[[Tx], T]) -> T:
        return self._timed("transaction write", self._database.write, work)

    def _timed(self, name: str, run: Callable[Asked, T], *given: Asked.args, **named: Asked.kwargs) -> T:
        here = tracing.opened.get()
        if here is None:
            return run(*given, **named)
        started, error = clock.now(), ""
        try:
            return run(*given, **named)
        except BaseException as fault:
            error = type(fault).__name__
            raise
        finally:
            here.inner.append((name, started, clock.now(), error))

    def script(self, sql: str) -> None:
        self._database.script(sql)

    def close(self) -> None:
        self._database.close()


def observe_route(name: str) -> None:
    """What the edge says of the request of this thread: its route's template; empty: not worth a span."""
    here = tracing.opened.get()
    if here is not None:
        here.name = name


class TracedApplication:
    """A WSGI application whose requests are spans."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if tracing.in_force() is None:
            return self._application(environ, start_response)
        here, started = Open(), clock.now()
        token = tracing.opened.set(here)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if here.name:
                here.status, here.request_id = int(status[:3]), _request_id(headers)
            return start_response(status, headers, *more)

        try:
            return self._application(environ, start)
        finally:
            tracing.opened.reset(token)
            if here.status:
                method, parent = environ["REQUEST_METHOD"], environ.get("HTTP_TRACEPARENT")
                tracing.ended(here.request_id, here.name, method, here.status, started, parent, here.inner)


def _request_id(headers: list[tuple[str, str]]) -> str:
    for name, value in headers:
        if len(name) == len(REQUEST_ID) and name.lower() == REQUEST_ID:
            return value
    return ""
