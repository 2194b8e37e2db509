"""Traces: spans of requests, transactions, loop turns and driver calls, sent as OTLP over HTTP. Off unless configured.

The request id is the trace: `req-` and a UUID, whose 32 digits are the trace id and whose last 16 are the id of the
request's own span. So a loop turn in another process and a step on a host join the trace by the request id that they
know anyway. A caller's `traceparent` becomes a link, never our trace (docs/decisions/0046).

While no tracer is in force a span costs little; nothing is wrapped. What goes out carries a `traceparent` and what is
answered a `traceresponse` all the same, and a caller's own trace is kept with the events of its request.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from pilvi.kernel import clock, ids, measures

Attributes = Mapping[str, str | int | float]
Send = Callable[[bytes], None]

WAITING_MOST: Final = 4096
"""Spans that wait for the next sending; what comes beyond is dropped and counted."""
BATCH_MOST: Final = 512
EVERY_S: Final = 1.0
SERVER, INTERNAL = 2, 1

_REQUEST_ID: Final = re.compile(r"req-([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


@dataclass(frozen=True, slots=True)
class Span:
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    started_ns: int
    ended_ns: int
    error: str = ""
    attributes: Attributes = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()
    """Trace and span of callers."""


def now_ns() -> int:
    return int(clock.now() * 1e9)


def trace_of(request_id: str) -> tuple[str, str] | None:
    """The trace of a request id and the id of the request's own span in it; None for what is no request id."""
    match = _REQUEST_ID.fullmatch(request_id)
    if match is None:
        return None
    trace_id = "".join(match.groups())
    return trace_id, trace_id[16:]


def caller(traceparent: str | None) -> tuple[tuple[str, str], ...]:
    """The caller's trace and span, as a link; nothing where the header is missing or not W3C's."""
    match = _TRACEPARENT.fullmatch((traceparent or "").strip())
    if (
        match is None
        or traceparent is None
        or traceparent.startswith("ff")
        or not int(match[1], 16) * int(match[2], 16)
    ):
        return ()
    return ((match[1], match[2]),)


def id_of(traceparent: str | None) -> str:
    """The trace that a caller names in its header; empty where there is none, or not W3C's."""
    if traceparent is None:
        return ""
    named = caller(traceparent)
    return named[0][0] if named else ""


def parent_of(request_id: str) -> str:
    """A request as W3C's `traceparent` and `traceresponse` name it."""
    digits = request_id.replace("-", "")[3:]
    return f"00-{digits}-{digits[16:]}-01"


def request_of(text: str) -> str | None:
    """The request id that stands for a trace of ours, given as its 32 digits or as a whole `traceparent`."""
    digits = text.split("-")[1] if _TRACEPARENT.fullmatch(text) else text
    if not re.fullmatch("[0-9a-f]{32}", digits):
        return None
    return f"req-{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Tracer:
    """Takes spans from any thread and sends them in batches from its own. Never waits, never fails its caller."""

    def __init__(self, process: str, host: str, send: Send) -> None:
        self._resource = {"service.name": f"pilvi-{process}", "service.namespace": "pilvi", "host.name": host}
        self._send = send
        self._waiting: deque[Span] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Sends what waits, once."""
        self._stop.set()
        self._thread.join(10.0)

    def add(self, span: Span) -> None:
        if len(self._waiting) >= WAITING_MOST:
            measures.SPANS.inc("dropped")
        else:
            self._waiting.append(span)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH_MOST, len(self._waiting)))]
            try:
                self._send(orjson.dumps(document(self._resource, batch)))
                measures.SPANS.inc("sent", by=len(batch))
            except Exception:  # noqa: BLE001 whatever a collector does, the cloud goes on
                measures.SPANS.inc("lost", by=len(batch))
                return  # The collector is away: what waits, waits for the next time.


def document(resource: Attributes, spans: list[Span]) -> dict[str, Any]:
    """An ExportTraceServiceRequest in OTLP's JSON: ids in hex, times as texts."""
    scope = {"scope": {"name": "pilvi"}, "spans": [_span(span) for span in spans]}
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope]}]}


def _span(span: Span) -> dict[str, Any]:
    result = {
        "traceId": span.trace_id, "spanId": span.span_id, "name": span.name, "kind": span.kind,
        "startTimeUnixNano": str(span.started_ns), "endTimeUnixNano": str(span.ended_ns),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2, "message": span.error[:500]} if span.error else {"code": 0},
    }  # fmt: skip
    if span.parent_id:
        result["parentSpanId"] = span.parent_id
    if span.links:
        result["links"] = [{"traceId": trace_id, "spanId": span_id} for trace_id, span_id in span.links]
    return result


def _attributes(given: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in given.items()]


def _value(value: str | float) -> dict[str, Any]:
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value[:500]}


# -- making spans ----------------------------------------------------------------------------------------------------

_tracer: Tracer | None = None
opened: ContextVar["Open | None"] = ContextVar("open span", default=None)


@dataclass(slots=True)
class Open:
    """A request or a turn under way. Of a request the id is known when it ends, so its transactions wait here."""

    trace: tuple[str, str] | None = None
    inner: list[tuple[str, int, int, str]] = field(default_factory=list)


def use(tracer: Tracer | None) -> Tracer | None:
    """Put a tracer in force for this process, or none, and return the former one."""
    global _tracer
    former, _tracer = _tracer, tracer
    return former


def in_force() -> Tracer | None:
    return _tracer


_request: ContextVar[str] = ContextVar("request under way", default="")


@contextmanager
def working_for(request_id: str) -> Iterator[None]:
    """What this thread sends from here on, it sends for this request."""
    token = _request.set(request_id)
    try:
        yield
    finally:
        _request.reset(token)


def outgoing() -> dict[str, str]:
    """The header that tells the next process which trace a request of ours belongs to."""
    here, request_id = opened.get(), _request.get()
    if here is not None and here.trace is not None:
        return {"traceparent": f"00-{here.trace[0]}-{here.trace[1]}-01"}
    return {"traceparent": parent_of(request_id)} if trace_of(request_id) is not None else {}


@contextmanager
def span(name: str, request_id: str, **attributes: str | int | float) -> Iterator[None]:
    """A loop's turn or a step on a host, in the trace of the request that wanted it."""
    tracer, trace = _tracer, trace_of(request_id) if _tracer is not None else None
    if tracer is None or trace is None:
        yield
        return
    span_id, started, error = _span_id(), now_ns(), ""
    here = Open((trace[0], span_id))
    token = opened.set(here)
    try:
        yield
    except BaseException as fault:
        error = str(fault) or type(fault).__name__
        raise
    finally:
        opened.reset(token)
        tracer.add(Span(trace[0], span_id, trace[1], name, INTERNAL, started, now_ns(), error, dict(attributes)))
        close(tracer, here)


def _span_id() -> str:
    return ids.random_bytes(8).hex()


def close(tracer: Tracer, here: Open) -> None:
    """The transactions inside become children of the span."""
    if here.trace is None:
        return
    trace_id, parent_id = here.trace
    for name, started, ended, error in here.inner:
        tracer.add(Span(trace_id, _span_id(), parent_id, name, INTERNAL, started, ended, error))


def ended(
    request_id: str, name: str, status: int, started_ns: int, *, traceparent: str | None, **attributes: str | int
) -> None:
    """A request that has just been answered."""
    trace = trace_of(request_id)
    if _tracer is None or trace is None:
        return
    told = {"http.route": name, "http.response.status_code": status, "pilvi.request_id": request_id, **attributes}
    error = f"status {status}" if status >= 500 else ""
    _tracer.add(Span(*trace, "", name, SERVER, started_ns, now_ns(), error, told, caller(traceparent)))
