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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson

from pilvi.kernel import clock, ids, measures

Value = str | int | float
Attributes = Mapping[str, Value]
Send = Callable[[bytes], None]

WAITING_MOST: Final = 4096
"""Requests and turns that wait for the next sending; what comes beyond is dropped and counted."""
BATCH_MOST: Final = 256
TEXT_MOST: Final = 500
"""Characters of an attribute or an error; what is longer is cut."""
EVERY_S: Final = 1.0
SERVER, INTERNAL = 2, 1

_REQUEST_ID: Final = re.compile(r"req-([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


Inner = tuple[str, float, float, str]
"""A transaction inside a request or a turn: name, beginning and end in seconds, and the error it ended with, if any."""


class Span(NamedTuple):
    """A loop's turn or a step on a host, in the trace of the request that wanted it."""

    request_id: str
    span_id: str
    name: str
    started: float
    """In seconds, here and below."""
    ended: float
    error: str = ""
    attributes: Attributes = MappingProxyType({})
    inner: Sequence[Inner] = ()


class Answered(NamedTuple):
    """A request as it waits to be sent. Whatever follows from these is computed by the thread that sends."""

    request_id: str
    name: str
    method: str
    status: int
    started: float
    ended: float
    traceparent: str | None
    """What the caller said of its own trace."""
    inner: Sequence[Inner] = ()


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
        self._waiting: deque[Span | Answered] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Sends what waits, once."""
        self._stop.set()
        self._thread.join(10.0)

    def add(self, span: Span | Answered) -> None:
        if len(self._waiting) >= WAITING_MOST:
            measures.SPANS.inc("dropped", by=1 + len(span.inner))
        else:
            self._waiting.append(span)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH_MOST, len(self._waiting)))]
            spans = sum(1 + len(span.inner) for span in batch)
            try:
                self._send(document(self._resource, texts_of(batch)))
                measures.SPANS.inc("sent", by=spans)
            except Exception:  # noqa: BLE001 whatever a collector does, the cloud goes on
                measures.SPANS.inc("lost", by=spans)
                return  # The collector is away: what waits, waits for the next time.


# -- OTLP's JSON, put together as text: by way of dictionaries it costs three times as much ---------------------------


def document(resource: Attributes, spans: Iterable[str]) -> bytes:
    """An ExportTraceServiceRequest: ids in hex, times as texts."""
    return (
        f'{{"resourceSpans":[{{"resource":{{"attributes":{_attributes(resource)}}},'
        f'"scopeSpans":[{{"scope":{{"name":"pilvi"}},"spans":[{",".join(spans)}]}}]}}]}}'
    ).encode()


def texts_of(batch: Sequence[Span | Answered]) -> Iterator[str]:
    """Each span, and after it the transactions inside as its children."""
    fresh = _span_ids(sum(len(span.inner) for span in batch))
    for span in batch:
        trace = trace_of(span.request_id)
        if trace is None:
            continue
        trace_id, root = trace
        if isinstance(span, Answered):
            own, error = root, f"status {span.status}" if span.status >= 500 else ""
            more = _asked(span.name, span.method, span.status, span.request_id) + _links(span.traceparent)
        else:
            own, error = span.span_id, span.error
            more = f'"kind":{INTERNAL},"attributes":{_attributes(span.attributes)},"parentSpanId":"{root}"'
        yield _text(trace_id, own, span.name, span.started, span.ended, error, more)
        child = f'"kind":{INTERNAL},"parentSpanId":"{own}"'
        for name, started, ended, error in span.inner:
            yield _text(trace_id, next(fresh), name, started, ended, error, child)


def _text(trace_id: str, id: str, name: str, started: float, ended: float, error: str, more: str) -> str:
    status = f'{{"code":2,"message":{_quoted(error[:TEXT_MOST])}}}' if error else '{"code":0}'
    return (
        f'{{"traceId":"{trace_id}","spanId":"{id}","name":{_name(name)},"startTimeUnixNano":"{int(started * 1e9)}",'
        f'"endTimeUnixNano":"{int(ended * 1e9)}","status":{status},{more}}}'
    )


def _asked(name: str, method: str, status: int, request_id: str) -> str:
    return f'{_route(name, method, status)},{{"key":"pilvi.request_id","value":{{"stringValue":"{request_id}"}}}}]'


@lru_cache(1024)
def _route(name: str, method: str, status: int) -> str:
    told: Attributes = {"http.route": name, "http.request.method": method, "http.response.status_code": status}
    return f'"kind":{SERVER},"attributes":{_attributes(told)[:-1]}'


def _links(traceparent: str | None) -> str:
    found = caller(traceparent) if traceparent else ()
    links = ",".join(f'{{"traceId":"{trace_id}","spanId":"{span_id}"}}' for trace_id, span_id in found)
    return f',"links":[{links}]' if links else ""


def _attributes(given: Attributes) -> str:
    told = ",".join([f'{{"key":{_name(key)},"value":{_value(value)}}}' for key, value in given.items()])
    return f"[{told}]"


def _value(value: Value) -> str:
    if isinstance(value, str):
        return f'{{"stringValue":{_quoted(value[:TEXT_MOST])}}}'
    return f'{{"intValue":"{value}"}}' if isinstance(value, int) else f'{{"doubleValue":{value!r}}}'


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


_name = lru_cache(1024)(_quoted)
"""Names of spans and attributes are few and come again and again."""


def _span_ids(count: int) -> Iterator[str]:
    digits = ids.random_bytes(8 * count).hex() if count else ""
    return (digits[place : place + 16] for place in range(0, len(digits), 16))


# -- making spans ----------------------------------------------------------------------------------------------------

_tracer: Tracer | None = None
opened: ContextVar["Open | None"] = ContextVar("open span", default=None)


class Open:
    """A request or a turn under way. Of a request the id is known when it ends, so its transactions wait here."""

    __slots__ = ("inner", "name", "request_id", "status", "trace")

    def __init__(self, trace: tuple[str, str] | None = None) -> None:
        self.trace = trace
        self.inner: list[Inner] = []
        self.name = ""
        """Of a request: its route's template, once it is known; empty: not worth a span."""
        self.request_id, self.status = "", 0


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
def span(name: str, request_id: str, **attributes: Value) -> Iterator[None]:
    """A loop's turn or a step on a host, in the trace of the request that wanted it."""
    tracer, trace = _tracer, trace_of(request_id) if _tracer is not None else None
    if tracer is None or trace is None:
        yield
        return
    span_id, started, error = next(_span_ids(1)), clock.now(), ""
    here = Open((trace[0], span_id))
    token = opened.set(here)
    try:
        yield
    except BaseException as fault:
        error = str(fault) or type(fault).__name__
        raise
    finally:
        opened.reset(token)
        tracer.add(Span(request_id, span_id, name, started, clock.now(), error, attributes, here.inner))


def ended(
    request_id: str, name: str, method: str, status: int, started: float, traceparent: str | None,
    inner: Sequence[Inner] = (),
) -> None:  # fmt: skip
    """A request that has just been answered."""
    if _tracer is not None:
        _tracer.add(Answered(request_id, name, method, status, started, clock.now(), traceparent, inner))
