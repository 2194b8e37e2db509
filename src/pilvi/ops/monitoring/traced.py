"""What is wrapped while traces are on: the database and the application of `api`."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from pilvi.kernel import tracing
from pilvi.kernel.db import Compiler, Database, Tx
from pilvi.kernel.tracing import Open

T = TypeVar("T")


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

    def _timed(self, name: str, run: Callable[[Callable[[Tx], T]], T], work: Callable[[Tx], T]) -> T:
        here = tracing.opened.get()
        if here is None:
            return run(work)
        started, error = tracing.now_ns(), ""
        try:
            return run(work)
        except BaseException as fault:
            error = type(fault).__name__
            raise
        finally:
            here.inner.append((name, started, tracing.now_ns(), error))

    def script(self, sql: str) -> None:
        self._database.script(sql)

    def close(self) -> None:
        self._database.close()


_route: ContextVar[str] = ContextVar("route", default="")


def observe_route(name: str) -> None:
    """What the edge says of the request of this thread: its route's template; empty: not worth a span."""
    _route.set(name)


class TracedApplication:
    """A WSGI application whose requests are spans."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        tracer = tracing.in_force()
        if tracer is None:
            return self._application(environ, start_response)
        here, started = Open(), tracing.now_ns()
        token = tracing.opened.set(here)
        observe_route("")
        told: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            told["status"] = int(status.split(" ", 1)[0])
            told["id"] = next((v for k, v in headers if k.lower() == "x-openstack-request-id"), "")
            return start_response(status, headers, *more)

        try:
            return self._application(environ, start)
        finally:
            tracing.opened.reset(token)
            name = _route.get()
            if told and name:
                here.trace = tracing.trace_of(told["id"])
                method, parent = environ["REQUEST_METHOD"], environ.get("HTTP_TRACEPARENT")
                attributes = {"http.request.method": method}
                tracing.ended(told["id"], name, told["status"], started, traceparent=parent, **attributes)
                tracing.close(tracer, here)
