"""The exposition of many processes: valid, complete, and nothing in it that was not declared."""

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from pilvi.kernel import measures
from pilvi.kernel.measures import CATALOGUE
from pilvi.ops.monitoring import keys, model
from pilvi.ops.monitoring.model import Part

REQUESTS = "pilvi_http_requests_total"
SECONDS = "pilvi_http_request_seconds"


def api(worker: str, count: float, seconds: list[float]) -> Part:
    figures = {
        REQUESTS: [[["compute", "GET /servers", "200"], count]],
        SECONDS: [[["compute", "GET /servers"], seconds]],
    }
    return Part({"process": "api", "worker": worker, "host": "node"}, figures)


def observed(*values: float) -> list[float]:
    """Three below 1 ms and so on: counts per bucket, padded, and the sum."""
    return [*values, *[0.0] * (len(CATALOGUE[SECONDS].buckets) + 1 - len(values)), 0.5]


def test_what_is_rendered_is_read_by_prometheus_own_parser() -> None:
    parts = [api("0", 3, observed(2, 1)), api("1", 4, observed(4))]
    families = {family.name: family for family in text_string_to_metric_families(model.render(parts))}
    counted = {s.labels["worker"]: s.value for s in families["pilvi_http_requests"].samples}
    assert counted == {"0": 3, "1": 4}
    histogram = families[SECONDS]
    assert histogram.type == "histogram"
    ends = {s.labels["worker"]: s.value for s in histogram.samples if s.labels.get("le") == "+Inf"}
    assert ends == {"0": 3, "1": 4}
    assert [s.value for s in histogram.samples if s.name.endswith("_sum")] == [0.5, 0.5]


@settings(deadline=None)
@given(st.text(max_size=50))
def test_any_label_survives_the_text_format(text: str) -> None:
    part = Part({}, {REQUESTS: [[["compute", text, "200"], 1.0]]})
    families = list(text_string_to_metric_families(model.render([part])))
    assert families[0].samples[0].labels["route"] == text


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from([REQUESTS, SECONDS]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([REQUESTS, SECONDS, "x"]), inner),
    )
)
def test_nothing_that_a_host_says_breaks_the_exposition(document: Any) -> None:
    figures = model.vet(document)
    list(text_string_to_metric_families(model.render([Part({"host": "h"}, figures)])))


@pytest.mark.parametrize(
    "sample",
    [
        [["compute", "GET /x", "200"], math.nan],
        [["compute", "GET /x", "200"], True],
        [["compute", "GET /x"], 1.0],
        [["compute", "GET /x", "200"], [1.0]],
        "text",
    ],
)
def test_a_sample_that_does_not_fit_its_measure_is_left_out(sample: Any) -> None:
    assert model.vet({REQUESTS: [sample, [["c", "r", "200"], 1]]}) == {REQUESTS: [[["c", "r", "200"], 1.0]]}


def test_a_host_speaks_of_itself_only() -> None:
    told = {"pilvi_host_load1": [[[], 1.5]], REQUESTS: [[["a", "b", "200"], 9]], "pilvi_audit_violations": [[["x"], 0]]}
    assert model.vet(told, measures.FROM_AGENTS) == {"pilvi_host_load1": [[[], 1.5]]}


def test_haproxys_figures_get_our_labels_and_lose_what_nobody_looks_at() -> None:
    text = (
        "# HELP haproxy_process_requests_total x\n# TYPE haproxy_process_requests_total counter\n"
        "haproxy_process_requests_total 12\n"
        '# TYPE haproxy_backend_current_queue gauge\nhaproxy_backend_current_queue{proxy="api"} 3\n'
        '# TYPE haproxy_process_build_info gauge\nhaproxy_process_build_info{version="2.6"} 1\n'
    )
    families = {f.name: f for f in text_string_to_metric_families(model.foreign(text, {"process": "front"}))}
    assert set(families) == {"haproxy_process_requests", "haproxy_backend_current_queue"}
    assert families["haproxy_backend_current_queue"].samples[0].labels == {"proxy": "api", "process": "front"}
    assert model.foreign("", {"process": "front"}) == ""


# -- key series ------------------------------------------------------------------------------------------------------


def moment(at_s: float, *parts: Part) -> keys.Moment:
    return keys.Moment(at_s, list(parts))


def test_workers_add_up_and_a_restarted_one_counts_from_zero() -> None:
    before = moment(0.0, api("0", 100, observed(100)), api("1", 50, observed(50)))
    after = moment(10.0, api("0", 130, observed(130)), api("1", 20, observed(20)))
    assert keys.series(before, after)["requests_per_s"] == pytest.approx((30 + 20) / 10)


def test_a_quantile_is_of_what_happened_in_between() -> None:
    before = moment(0.0, api("0", 1, observed(1000)))
    after = moment(10.0, api("0", 1, observed(1000, 0, 99, 1)))
    series = keys.series(before, after)
    assert (series["request_p50_s"], series["request_p99_s"]) == (0.005, 0.005)
    later = moment(20.0, api("0", 1, observed(1000, 0, 99, 1, 5)))
    assert keys.series(after, later)["request_p99_s"] == 0.025


def test_hosts_have_series_of_their_own_up_to_a_limit() -> None:
    parts = [Part({"host": f"node{n:03}"}, {"pilvi_host_up": [[[], 1.0]]}) for n in range(50)]
    series = keys.series(moment(0.0, *parts), moment(1.0, *parts))
    assert series["hosts_up"] == 50
    named = {name.split()[1] for name in series if name.startswith("host ")}
    assert named == {f"node{n:03}" for n in range(keys.HOSTS_MOST)}
    assert len(series) <= 200
