"""Grafana dashboards as data: what is shown, in which unit, from which expression. Pure."""

import json
from dataclasses import dataclass
from typing import Any, Final

SOURCE: Final = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT = 8, 7
PER_ROW: Final = 24 // WIDTH


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    unit: str
    """Grafana's name of the unit: short, s, percentunit, bytes, Bps, reqps."""
    curves: tuple[tuple[str, str], ...]
    """Expression and legend of each curve."""
    says: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    uid: str
    title: str
    panels: tuple[Panel, ...]
    by: str = ""
    """A label of `pilvi_host_up` or `pilvi_guest_cpu_seconds_total` that a menu chooses by."""


def _rate(name: str, by: str, where: str = "") -> str:
    return f"sum by ({by}) (rate({name}{where}[$__rate_interval]))"


def _quantile(share: float, name: str, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share:g}, sum by ({labels}) (rate({name}_bucket[$__rate_interval])))"


def _mean(name: str, by: str) -> str:
    return f"{_rate(f'{name}_sum', by)} / {_rate(f'{name}_count', by)}"


_HOST: Final = '{host=~"$host"}'
_IDLE: Final = '{mode=~"idle|iowait", host=~"$host"}'
_GUEST: Final = '{server_id=~"$server_id"}'


def _of_host(whole: str, free: str) -> str:
    return f"1 - max by (host) ({free}{_HOST}) / max by (host) ({whole}{_HOST})"


CLOUD: Final = Dashboard("pilvi-cloud", "Pilvi cloud", (
    Panel("Requests", "reqps", ((_rate("pilvi_http_requests_total", "service"), "{{service}}"),)),
    Panel("Answers by status", "reqps", ((_rate("pilvi_http_requests_total", "status"), "{{status}}"),)),
    Panel("Duration of requests", "s", (
        (_quantile(0.5, "pilvi_http_request_seconds"), "half"),
        (_quantile(0.99, "pilvi_http_request_seconds"), "99 of 100"),
    )),
    Panel("Slowest routes, mean", "s", (
        (f"topk(10, {_mean('pilvi_http_request_seconds', 'service, route')})", "{{service}} {{route}}"),
    )),
    Panel("Commits", "s", (
        (_quantile(0.5, "pilvi_database_commit_seconds"), "half"),
        (_quantile(0.99, "pilvi_database_commit_seconds"), "99 of 100"),
    ), "How long making changes durable takes: the disk of the database."),
    Panel("Front: sessions and queue", "short", (
        ("sum by (proxy) (haproxy_frontend_current_sessions)", "{{proxy}} sessions"),
        ("sum by (proxy) (haproxy_backend_current_queue)", "{{proxy}} waiting"),
        ("sum(pilvi_http_requests_waiting)", "waiting for a thread of api"),
    )),
    Panel("Turns of loops", "ops", ((_rate("pilvi_loop_turns_total", "kind, outcome"), "{{kind}} {{outcome}}"),)),
    Panel("Work: keys that loops look after", "short", (("sum by (kind) (pilvi_work_rows)", "{{kind}}"),)),
    Panel("Work: oldest and overdue", "s", (
        ("max by (kind) (pilvi_work_oldest_seconds)", "{{kind}} oldest"),
        ("max by (kind) (pilvi_work_overdue_seconds)", "{{kind}} overdue"),
    )),
    Panel("Servers", "short", (
        ("sum by (state) (pilvi_servers)", "{{state}}"), ("sum(pilvi_servers_changing)", "in transition"),
    )),
    Panel("Auditor: violations", "short", (("max by (invariant) (pilvi_audit_violations)", "{{invariant}}"),)),
    Panel("Auditor: time of a look", "s", (("max by (invariant) (pilvi_audit_pass_seconds)", "{{invariant}}"),)),
    Panel("CPU of our processes", "short", (
        (_rate("process_cpu_seconds_total", "host, process"), "{{process}} {{host}}"),
    ), "Processors in use."),
    Panel("Memory of our processes", "bytes", (
        ("sum by (host, process) (process_resident_memory_bytes)", "{{process}} {{host}}"),
    )),
    Panel("Restarts", "short", (("sum by (host, process) (pilvi_process_restarts_total)", "{{process}} {{host}}"),)),
))  # fmt: skip

HOSTS: Final = Dashboard("pilvi-hosts", "Pilvi hosts", (
    Panel("Processors in use", "percentunit", (
        (f"1 - {_rate('pilvi_host_cpu_seconds_total', 'host', _IDLE)} / max by (host) (pilvi_host_cpus{_HOST})",
         "{{host}}"),
    )),
    Panel("Memory in use", "percentunit", (
        (_of_host("pilvi_host_memory_bytes", "pilvi_host_memory_available_bytes"), "{{host}}"),
    )),
    Panel("Disk in use", "percentunit", (
        (_of_host("pilvi_host_disk_bytes", "pilvi_host_disk_free_bytes"), "{{host}}"),
    )),
    Panel("Load", "short", ((f"max by (host) (pilvi_host_load1{_HOST})", "{{host}}"),)),
    Panel("Claimed", "percentunit", (
        (f"sum by (host, resource) (pilvi_host_claimed{_HOST}) / sum by (host, resource) (pilvi_host_capacity{_HOST})",
         "{{host}} {{resource}}"),
    ), "Of what placement may give away, ratios included."),
    Panel("Guests that run", "short", ((f"max by (host) (pilvi_guests{_HOST})", "{{host}}"),)),
    Panel("Last report", "s", ((f"max by (host) (pilvi_host_report_age_seconds{_HOST})", "{{host}}"),)),
    Panel("Changes not applied yet", "short", ((f"max by (host) (pilvi_host_revisions_behind{_HOST})", "{{host}}"),)),
    Panel("Agent's turns", "s", (
        (_mean("pilvi_agent_turn_seconds", "host"), "{{host}} mean"),
        (_quantile(0.99, "pilvi_agent_turn_seconds", "host"), "{{host}} 99 of 100"),
    )),
    Panel("Driver calls", "ops", (
        (_rate("pilvi_driver_calls_total", "step, outcome", _HOST), "{{step}} {{outcome}}"),
    )),
    Panel("Time of driver calls, mean", "s", ((_mean("pilvi_driver_call_seconds", "step"), "{{step}}"),)),
    Panel("Lines to live", "short", ((f"max by (host) (pilvi_host_connected{_HOST})", "{{host}}"),)),
), by="host")  # fmt: skip

GUESTS: Final = Dashboard("pilvi-guests", "Pilvi guests", (
    Panel("Processors in use", "short", (
        (f"topk(20, {_rate('pilvi_guest_cpu_seconds_total', 'server_id', _GUEST)})", "{{server_id}}"),
    )),
    Panel("Memory", "bytes", ((f"topk(20, max by (server_id) (pilvi_guest_memory_bytes{_GUEST}))", "{{server_id}}"),)),
    Panel("Disk: read", "Bps", (
        (f"topk(20, {_rate('pilvi_guest_disk_read_bytes_total', 'server_id', _GUEST)})", "{{server_id}}"),
    )),
    Panel("Disk: written", "Bps", (
        (f"topk(20, {_rate('pilvi_guest_disk_written_bytes_total', 'server_id', _GUEST)})", "{{server_id}}"),
    )),
    Panel("Network: received", "Bps", (
        (f"topk(20, {_rate('pilvi_guest_network_received_bytes_total', 'server_id', _GUEST)})", "{{server_id}}"),
    )),
    Panel("Network: sent", "Bps", (
        (f"topk(20, {_rate('pilvi_guest_network_sent_bytes_total', 'server_id', _GUEST)})", "{{server_id}}"),
    )),
    Panel("Network: dropped", "pps", (
        (f"topk(20, {_rate('pilvi_guest_network_dropped_total', 'server_id', _GUEST)})", "{{server_id}}"),
    )),
), by="server_id")  # fmt: skip

DASHBOARDS: Final = (CLOUD, HOSTS, GUESTS)
_MENUS: Final = {"host": "pilvi_host_up", "server_id": "pilvi_guest_cpu_seconds_total"}


def expressions() -> list[str]:
    """All of them as Prometheus takes them: Grafana's own words filled in."""
    found = [curve for board in DASHBOARDS for panel in board.panels for curve, _ in panel.curves]
    menus = [_MENUS[board.by] for board in DASHBOARDS if board.by]
    filled = [e.replace("$__rate_interval", "5m").replace("$host", ".*").replace("$server_id", ".*") for e in found]
    return [*filled, *menus]


def render(board: Dashboard) -> str:
    """The JSON that Grafana imports."""
    menus: list[dict[str, Any]] = [
        {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}
    ]
    if board.by:
        query = f"label_values({_MENUS[board.by]}, {board.by})"
        menus.append(
            {
                "name": board.by, "label": board.by, "type": "query", "datasource": SOURCE, "query": query,
                "definition": query, "includeAll": True, "allValue": ".*", "multi": True, "refresh": 2,
                "current": {"text": "All", "value": "$__all"},
            }
        )  # fmt: skip
    document = {
        "uid": board.uid, "title": board.title, "tags": ["pilvi"], "schemaVersion": 39, "version": 1,
        "editable": True, "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "timezone": "browser",
        "templating": {"list": menus},
        "panels": [_panel(number, panel) for number, panel in enumerate(board.panels)],
    }  # fmt: skip
    return json.dumps(document, indent=1) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    place = {"x": number % PER_ROW * WIDTH, "y": number // PER_ROW * HEIGHT, "w": WIDTH, "h": HEIGHT}
    return {
        "id": number + 1, "type": "timeseries", "title": panel.title, "description": panel.says, "gridPos": place,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": {"fillOpacity": 8}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(65 + index), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for index, (expression, legend) in enumerate(panel.curves)
        ],
    }  # fmt: skip
