"""What a cloud shows of itself: a real Prometheus reads it, every rule and panel has data, and no secret is in it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pilvi.ops.monitoring import alerts, dashboards
from tests.e2e.collector import Collector
from tests.e2e.prometheus import Prometheus, watching
from tests.e2e.site import Site, until

FAKE = ("compute.hypervisor=fake", "network.driver=fake", "agent.report_interval_s=2")
"""Guests and networks in memory: what is tested here is what is told of them."""

CANARY = "CANARYzZ19secret"
"""In everything that a user hands over in confidence."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("watched")
    site = Site(folder / "s", settings=(*FAKE, f"tracing.endpoint={collector.endpoint}"))
    words = [word for setting in site.settings for word in ("--set", setting)]
    try:
        site.pilvi("up", "--listen", f"127.0.0.1:{site.port}", "--no-image", *words)
        tour(site, folder)
        yield site
    finally:
        site.pilvi("down", "--purge", check=False)


def tour(site: Site, folder: Path) -> None:
    """A user, a login, an image, a server with everything secret that one can have; a wrong password, a wrong path."""
    (folder / "disk").write_bytes(bytes(1 << 20))
    (folder / "data").write_text(f"#!/bin/sh\n# {CANARY}-user-data\n")
    site.openstack("project", "create", "watched")
    site.openstack("user", "create", "--password", f"{CANARY}-password", "--project", "watched", "watcher")
    site.openstack("role", "add", "--user", "watcher", "--project", "watched", "member", show=False)
    user = {"OS_USERNAME": "watcher", "OS_PASSWORD": f"{CANARY}-password", "OS_PROJECT_NAME": "watched"}
    site.openstack("image", "create", "--file", str(folder / "disk"), "--disk-format", "raw", "tiny", user=user)
    site.openstack("network", "create", "n", user=user)
    site.openstack("subnet", "create", "--network", "n", "--subnet-range", "10.9.0.0/24", "s", user=user)
    site.openstack(
        "server", "create", "--image", "tiny", "--flavor", "m1.nano", "--network", "n", "--user-data",
        str(folder / "data"), "--property", f"secret={CANARY}-metadata", "--password", f"{CANARY}-admin-pass", "--wait",
        "told", user=user,
    )  # fmt: skip
    assert ask(site, "/compute/v2.1/servers", **{"X-Auth-Token": f"{CANARY}-token"})[0] == 401
    assert ask(site, f"/image/v2/images/{CANARY}-path")[0] == 401


def ask(site: Site, path: str, **headers: str) -> tuple[int, str]:
    try:
        with urlopen(Request(f"http://127.0.0.1:{site.port}{path}", headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def scrape(site: Site) -> str:
    token = (site.state / "secrets" / "metrics_token").read_text().strip()
    status, text = ask(site, "/metrics", Authorization=f"Bearer {token}")
    assert status == 200, text
    return text


def values(site: Site, name: str) -> list[tuple[dict[str, str], float]]:
    families = text_string_to_metric_families(scrape(site))
    return [(s.labels, s.value) for family in families for s in family.samples if s.name == name]


def test_strangers_read_nothing(watched: Site) -> None:
    """From loopback neither, and with a user's token neither."""
    token = watched.openstack("token", "issue")["id"]
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wrong"}, {"X-Auth-Token": token}):
        status, text = ask(watched, "/metrics", **headers)
        assert status == 401
        assert "pilvi_" not in text
        assert "secrets/metrics_token" in text
    assert ask(watched, "/internal/figures")[0] in (401, 404)


def test_everybody_is_heard(watched: Site) -> None:
    told = {(labels["process"]) for labels, _ in values(watched, "process_cpu_seconds_total")}
    assert told == {"api", "live", "agent"}
    up = {labels["process"]: value for labels, value in values(watched, "pilvi_process_up")}
    assert up == {"front": 1, "api": 1, "live": 1, "agent": 1, "supervisor": 1}
    assert {value for _, value in values(watched, "pilvi_scrape_source_up")} == {1}
    assert values(watched, "haproxy_frontend_http_requests_total")


def test_the_figures_are_true(watched: Site) -> None:
    id = watched.openstack("server", "list", "--all-projects")[0]["ID"]
    assert [(s["server_id"], v > 0) for s, v in values(watched, "pilvi_guest_cpu_seconds_total")] == [(id, True)]
    assert [s["server_id"] for s, _ in values(watched, "pilvi_guest_network_sent_bytes_total")] == [id]
    servers = {labels["state"]: value for labels, value in values(watched, "pilvi_servers")}
    assert (servers["active"], servers["error"]) == (1, 0)
    steps = {(labels["step"], labels["outcome"]) for labels, _ in values(watched, "pilvi_driver_calls_total")}
    assert {("define", "done"), ("power_on", "done"), ("network", "done"), ("fetch_image", "done")} <= steps
    claimed = {labels["resource"]: value for labels, value in values(watched, "pilvi_host_claimed")}
    assert claimed["VCPU"] == 1
    routes = {(labels["service"], labels["route"]) for labels, _ in values(watched, "pilvi_http_requests_total")}
    assert ("compute", "POST /servers") in routes
    assert ("live", "PUT /image/v2/images/{image_id}/file") in routes


def test_every_rule_and_every_panel_has_data(watched: Site, tmp_path: Path) -> None:
    asked = [*(alert.measure for alert in alerts.ALERTS), *dashboards.expressions()]
    with watching(watched, tmp_path / "prometheus") as prometheus:
        target = prometheus.last_scrape()
        assert (target["health"], target["lastError"]) == ("up", "")

        missing: list[str] = []

        def all_have_data() -> bool:
            missing[:] = [expression for expression in asked if not has_data(prometheus, expression)]
            return not missing

        try:
            until(all_have_data, "every expression has data", limit_s=90, every_s=2)
        except AssertionError:
            assert missing == []
        rules = prometheus.get("rules")["groups"][0]["rules"]
        assert {rule["name"]: rule["health"] for rule in rules} == {alert.name: "ok" for alert in alerts.ALERTS}
        assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []
        stored = json.dumps(prometheus.get("series", **{"match[]": '{__name__!=""}'}))
        assert CANARY not in stored


def has_data(prometheus: Prometheus, expression: str) -> bool:
    return any(sample["value"][1] != "NaN" for sample in prometheus.query(expression))


def test_one_trace_tells_a_server_from_the_request_to_the_host(watched: Site, collector: Collector) -> None:
    wanted = {
        ("pilvi-api", "POST /servers"), ("pilvi-api", "transaction write"), ("pilvi-api", "loop server"),
        ("pilvi-agent", "driver define"), ("pilvi-agent", "driver power_on"),
    }  # fmt: skip

    def told() -> set[tuple[str, str]]:
        return {(span["service"], span["name"]) for span in collector.of_trace_with("POST /servers")}

    until(lambda: wanted <= told(), f"{wanted} in one trace", limit_s=60)
    spans = collector.of_trace_with("POST /servers")
    request = next(span for span in spans if span["name"] == "POST /servers")
    steps = [span for span in spans if span["name"].startswith(("driver", "loop"))]
    assert {step["parentSpanId"] for step in steps} == {request["spanId"]}
    assert any(span["service"] == "pilvi-live" for span in collector.spans)


def test_no_secret_is_in_what_is_shown_or_written(watched: Site, collector: Collector) -> None:
    """Figures, traces, logs, `top` and `logs`: the canaries and the cloud's own secrets are in none of them."""
    own = {path.name: path.read_text().strip() for path in (watched.state / "secrets").iterdir()}
    secrets = {**own, "canary": CANARY, "user data": base64.b64encode(CANARY.encode()).decode()[:20]}
    shown: dict[str, Any] = {"metrics": scrape(watched), "traces": collector.text}
    for path in (watched.state / "log").iterdir():
        if path.is_file():
            shown[path.name] = path.read_bytes().decode("utf-8", "replace")
    shown["top"] = watched.pilvi("top", "--once", "--json").stdout
    shown["logs"] = watched.pilvi("logs", "--lines", "5000").stdout
    assert len(shown["logs"].splitlines()) > 5
    found = [(where, name) for where, text in shown.items() for name, secret in secrets.items() if secret in text]
    # A path is no secret, and the log names it: that is the one place where the canary may be.
    assert [(where, name) for where, name in found if not only_in_paths(shown[where], secrets[name])] == []


def only_in_paths(text: str, secret: str) -> bool:
    return secret not in text.replace(f"/images/{CANARY}-path", "")
