"""What `pilvi top` shows, from two moments."""

import io
from typing import Any

from rich.console import Console

from pilvi.kernel.measures import CATALOGUE
from pilvi.ops.monitoring import top
from pilvi.ops.monitoring.keys import Moment

GUEST = "da9ef8ce-c5f4-432f-8f1a-7ae11a3d01d7"
ROUTE = ["compute", "GET /servers"]


def observed(number: float, seconds: float) -> list[float]:
    return [number, *[0.0] * len(CATALOGUE["pilvi_http_request_seconds"].buckets), seconds]


def at(at_s: float, requests: float, seconds: float, cpu: float, **more: Any) -> Moment:
    api = {
        "pilvi_http_requests_total": [[[*ROUTE, "200"], requests], [[*ROUTE, "500"], requests / 10]],
        "pilvi_http_request_seconds": [[ROUTE, observed(requests, seconds)]],
        "process_cpu_seconds_total": [[[], cpu]],
        "process_resident_memory_bytes": [[[], 100 << 20]],
    }
    agent = {
        "pilvi_guest_cpu_seconds_total": [[[GUEST], cpu]],
        "pilvi_guest_memory_bytes": [[[GUEST], 64 << 20]],
        "pilvi_guest_network_sent_bytes_total": [[[GUEST], requests * 1024]],
        "pilvi_host_cpus": [[[], 2]],
        "pilvi_host_cpu_seconds_total": [[["idle"], at_s], [["user"], at_s]],
    }
    cloud = {
        "pilvi_audit_violations": [[["claims-fit"], 2], [["macs-are-unique"], 0]],
        "pilvi_work_rows": [[["server"], 3]],
    }
    host = {"pilvi_host_up": [[[], 1]], "pilvi_host_claimed": [[["VCPU"], 4]], "pilvi_host_capacity": [[["VCPU"], 8]]}
    down = {"pilvi_process_up": [[[], 0]], "pilvi_process_restarts_total": [[[], 3]]}
    parts = [
        [{"process": "api", "worker": "0", "host": "node"}, api],
        [{"process": "agent", "host": "node"}, agent],
        [{}, cloud],
        [{"host": "node"}, host],
        [{"process": "front", "host": "node"}, down],
        [{"process": "live", "host": "node"}, {"pilvi_scrape_source_up": [[["agent other"], 0]]}],
    ]
    return top.moment({"parts": parts}, at_s)


BEFORE, AFTER = at(100.0, 1000, 10.0, 50.0), at(110.0, 1100, 10.5, 55.0)


def test_rates_are_of_what_happened_in_between() -> None:
    found = top.report(BEFORE, AFTER)
    assert found["over_s"] == 10
    route = found["requests"][0]
    assert (route["route"], route["per_s"], route["failures_per_s"], route["mean_ms"]) == (
        "GET /servers",
        11.0,
        1.0,
        5.0,
    )
    guest = found["guests"][0]
    assert (guest["server"], guest["cpu"], guest["sent_per_s"]) == (GUEST, 0.5, 10240.0)
    host = found["hosts"][0]
    assert (host["cpu"], host["claimed"], host["up"], host["connected"]) == (0.5, {"VCPU": 0.5}, True, False)
    assert found["violations"] == {"claims-fit": 2}
    assert found["silent_sources"] == ["agent other"]
    processes = {(p["process"], p["worker"]): p for p in found["processes"]}
    assert processes["api", "0"]["cpu"] == 0.5
    assert (processes["front", ""]["up"], processes["front", ""]["restarts"]) == (False, 3)


def drawn(width: int) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    history = [(0, {"requests_per_s": 1.0}), (60, {"requests_per_s": 8.0})]
    console.print(top.frame(top.report(BEFORE, AFTER), history, width))
    return console.export_text()


def test_a_picture_names_what_is_wrong_and_fits_its_terminal() -> None:
    text = drawn(140)
    for part in ("2 violations of claims-fit", "no figures from agent other", GUEST, "GET /servers", "▁█", "cpu 50%"):
        assert part in text
    narrow = drawn(80)
    assert GUEST[:8] in narrow
    assert max(map(len, narrow.splitlines())) <= 80


def test_the_past_is_summed_up() -> None:
    history = [(n * 900, {"requests_per_s": float(n), "host node cpu": 0.5}) for n in range(100)]
    found = {one["series"]: one for one in top.past(history)}
    assert list(found) == ["requests_per_s", "host node cpu"]
    one = found["requests_per_s"]
    assert (one["least"], one["mean"], one["most"], one["last"]) == (0.0, 49.5, 99.0, 99.0)
    assert top.thinned([1, 5, 2, 0, 0, 9, 1], 3) == [5, 9, 1]
    assert top.spark([0.0, 0.0]) == ""
