"""Spans: in the trace of their request, bounded, sent as OTLP, and nothing at all while they are off."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pilvi.kernel import measures, tracing
from pilvi.kernel.config import ConfigError, parse
from pilvi.kernel.tracing import Span, Tracer
from pilvi.ops.monitoring.traced import TracedApplication, TracedDatabase, observe_route

REQUEST = "req-0af76519-16cd-43dd-8448-eb211c80319c"
TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT = TRACE[16:]
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Collector:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.is_away = False

    def __call__(self, body: bytes) -> None:
        if self.is_away:
            raise OSError("connection refused")
        self.bodies.append(json.loads(body))

    def spans(self) -> list[dict[str, Any]]:
        groups = [group for body in self.bodies for group in body["resourceSpans"]]
        return [span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A tracer in force that sends when it is told to."""
    made = Collector()
    former = tracing.use(Tracer("test", "node", made))
    yield made
    tracing.use(former)


def sent(collector: Collector) -> dict[str, dict[str, Any]]:
    tracer = tracing.in_force()
    assert tracer is not None
    tracer._send_all()
    return {span["name"]: span for span in collector.spans()}


def test_the_request_id_is_the_trace() -> None:
    assert tracing.trace_of(REQUEST) == (TRACE, ROOT)
    for other in ("", "req-1", "req-" + "x" * 36, REQUEST + "\n"):
        assert tracing.trace_of(other) is None


@pytest.mark.parametrize(
    "header",
    [None, "", "nonsense", PARENT.replace("00-4", "ff-4"), f"00-{'0' * 32}-00f067aa0ba902b7-01", PARENT.upper() + "x",
     f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01"],
)  # fmt: skip
def test_what_is_no_traceparent_is_no_link(header: str | None) -> None:
    assert tracing.caller(header) == ()
    assert tracing.caller(PARENT) == (("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"),)


def test_a_step_on_a_host_joins_the_trace_of_the_request(collector: Collector) -> None:
    with pytest.raises(ValueError, match="no disk"), tracing.span("driver define", REQUEST, attempt=2):
        raise ValueError("no disk")
    span = sent(collector)["driver define"]
    assert (span["traceId"], span["parentSpanId"]) == (TRACE, ROOT)
    assert span["spanId"] not in (ROOT, "")
    assert span["status"] == {"code": 2, "message": "no disk"}
    assert span["attributes"] == [{"key": "attempt", "value": {"intValue": "2"}}]
    assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) > 1_700_000_000 * 10**9


class Database:
    compiler: Any = None

    def moment(self, tasks: Any) -> Any:
        raise AssertionError("nothing is tried at once here")

    def read(self, work: Any) -> Any:
        return work(None)

    write = read


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    database = TracedDatabase(Database())  # type: ignore[arg-type]
    database.read(lambda tx: None)
    database.write(lambda tx: None)
    observe_route(environ["route"])
    start_response("202 Accepted", [("X-Openstack-Request-Id", REQUEST)])
    return [b"ok"]


def ask(**environ: Any) -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []
    request = {"REQUEST_METHOD": "POST", "route": "POST /servers", **environ}
    assert TracedApplication(application)(request, lambda status, headers: seen.extend(headers)) == [b"ok"]
    return seen


def test_a_request_its_transactions_and_its_caller(collector: Collector) -> None:
    ask(HTTP_TRACEPARENT=PARENT)
    spans = sent(collector)
    request = spans["POST /servers"]
    assert (request["traceId"], request["spanId"], request["kind"]) == (TRACE, ROOT, 2)
    assert "parentSpanId" not in request
    assert request["links"] == [{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7"}]
    assert {"key": "http.response.status_code", "value": {"intValue": "202"}} in request["attributes"]
    for name in ("transaction read", "transaction write"):
        assert (spans[name]["traceId"], spans[name]["parentSpanId"]) == (TRACE, ROOT)


def test_a_quiet_request_is_no_span(collector: Collector) -> None:
    ask(route="")
    assert sent(collector) == {}


def test_a_turn_of_a_loop_holds_its_transactions(collector: Collector) -> None:
    with tracing.span("loop server", REQUEST, key="id"):
        TracedDatabase(Database()).write(lambda tx: None)  # type: ignore[arg-type]
    spans = sent(collector)
    assert spans["transaction write"]["parentSpanId"] == spans["loop server"]["spanId"]


def test_off_means_nothing() -> None:
    assert tracing.in_force() is None
    with tracing.span("loop server", REQUEST):
        assert tracing.opened.get() is None
    tracing.ended(REQUEST, "GET /", "GET", 200, 1.0, PARENT)


def test_any_text_and_number_is_json(collector: Collector) -> None:
    said = 'a "quoted"\nline \\ ü'
    with pytest.raises(ValueError), tracing.span("loop server", REQUEST, key=said, took_s=0.5, long="x" * 600):
        raise ValueError(said)
    span = sent(collector)["loop server"]
    assert span["status"] == {"code": 2, "message": said}
    assert [each["value"] for each in span["attributes"]] == [
        {"stringValue": said}, {"doubleValue": 0.5}, {"stringValue": "x" * 500},
    ]  # fmt: skip


def test_the_next_process_is_told_the_trace_with_or_without_a_collector(collector: Collector) -> None:
    assert tracing.outgoing() == {}
    with tracing.working_for(REQUEST):
        assert tracing.outgoing() == {"traceparent": f"00-{TRACE}-{ROOT}-01"}
        with tracing.span("driver fetch_image", REQUEST):
            within = tracing.outgoing()["traceparent"]
    assert within == f"00-{TRACE}-{sent(collector)['driver fetch_image']['spanId']}-01"
    with tracing.working_for("of a time before request ids were"):
        assert tracing.outgoing() == {}


def test_a_trace_and_its_request_are_the_same_in_other_words() -> None:
    assert tracing.parent_of(REQUEST) == f"00-{TRACE}-{ROOT}-01"
    assert [tracing.request_of(text) for text in (TRACE, tracing.parent_of(REQUEST))] == [REQUEST, REQUEST]
    assert [tracing.request_of(text) for text in ("web-1", TRACE[:-1], TRACE + "\n", "00-x-y-01")] == [None] * 4
    assert [tracing.id_of(text) for text in (PARENT, None, "rubbish", PARENT.replace("00-", "ff-", 1))] == [
        "4bf92f3577b34da6a3ce929d0e0e4736", "", "", "",
    ]  # fmt: skip


def test_a_collector_that_is_away_costs_spans_and_nothing_else(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "WAITING_MOST", 5)
    before = {labels[0]: value for labels, value in measures.SPANS.samples()}
    tracer = tracing.in_force()
    assert tracer is not None
    collector.is_away = True
    for number in range(9):
        tracer.add(Span(REQUEST, "1" * 16, str(number), 1, 2))
    tracer._send_all()
    collector.is_away = False
    tracer.add(Span(REQUEST, "1" * 16, "later", 1, 2))
    assert set(sent(collector)) == {"later"}
    after = {labels[0]: value for labels, value in measures.SPANS.samples()}
    grown = {name: after[name] - before.get(name, 0.0) for name in after}
    assert grown == {"dropped": 4, "lost": 5, "sent": 1}


def test_the_endpoint_is_checked() -> None:
    assert parse({"tracing": {"endpoint": "http://127.0.0.1:4318"}}).tracing.endpoint
    for wrong in ("127.0.0.1:4318", "http://x/v1/traces", "http://user:secret@x", "ftp://x"):
        with pytest.raises(ConfigError, match="endpoint must be like"):
            parse({"tracing": {"endpoint": wrong}})
