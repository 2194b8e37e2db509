"""Every alert rings when what it watches goes wrong, and none rings in a healthy cloud: promtool plays both."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pilvi.ops.monitoring import alerts
from tests.e2e.site import run

LONG = "x90"
"""Minutes that a state lasts: longer than any rule waits."""

HEALTHY = {
    'up{job="pilvi"}': "1",
    'pilvi_scrape_source_up{source="agent a"}': "1",
    'pilvi_process_up{host="a",process="live"}': "1",
    'pilvi_process_restarts_total{host="a",process="live"}': "2",
    'pilvi_http_requests_total{status="200"}': "0+600",
    'pilvi_http_requests_total{status="500"}': "0+6",
    'pilvi_http_request_seconds_bucket{le="0.1"}': "0+599",
    'pilvi_http_request_seconds_bucket{le="10"}': "0+600",
    'pilvi_http_request_seconds_bucket{le="+Inf"}': "0+600",
    'pilvi_database_commit_seconds_bucket{le="0.01"}': "0+60",
    'pilvi_database_commit_seconds_bucket{le="1"}': "0+60",
    'pilvi_database_commit_seconds_bucket{le="+Inf"}': "0+60",
    'pilvi_driver_call_seconds_bucket{le="10"}': "0+6",
    'pilvi_driver_call_seconds_bucket{le="60"}': "0+6",
    'pilvi_driver_call_seconds_bucket{le="+Inf"}': "0+6",
    'pilvi_work_overdue_seconds{kind="server"}': "2",
    'pilvi_work_failing{kind="server"}': "0",
    "pilvi_servers_oldest_change_seconds": "30",
    'pilvi_audit_violations{invariant="claims-fit"}': "0",
    'pilvi_audit_age_seconds{invariant="claims-fit"}': "60",
    'pilvi_host_up{host="a"}': "1",
    'pilvi_host_connected{host="a"}': "1",
    'pilvi_host_revisions_behind{host="a"}': "0",
    'pilvi_host_disk_free_bytes{host="a"}': "50",
    'pilvi_host_disk_bytes{host="a"}': "100",
    'pilvi_host_memory_available_bytes{host="a"}': "50",
    'pilvi_host_memory_bytes{host="a"}': "100",
    'pilvi_host_cpu_seconds_total{host="a",mode="idle"}': "0+60",
    'pilvi_host_cpus{host="a"}': "2",
    'pilvi_host_claimed{host="a",resource="VCPU"}': "4",
    'pilvi_host_capacity{host="a",resource="VCPU"}': "8",
    'pilvi_http_requests_waiting{worker="0"}': "0",
    'haproxy_frontend_current_sessions{proxy="public"}': "10",
    'haproxy_frontend_limit_sessions{proxy="public"}': "100",
}

SICK = {
    "PilviFiguresMissing": {'up{job="pilvi"}': "0"},
    "PilviSourceMissing": {'pilvi_scrape_source_up{source="agent a"}': "0"},
    "PilviProcessDown": {'pilvi_process_up{host="a",process="live"}': "0"},
    "PilviProcessRestarts": {'pilvi_process_restarts_total{host="a",process="live"}': "0+1"},
    "PilviRequestsFail": {'pilvi_http_requests_total{status="500"}': "0+60"},
    "PilviRequestsSlow": {'pilvi_http_request_seconds_bucket{le="0.1"}': "0+500"},
    "PilviCommitsSlow": {'pilvi_database_commit_seconds_bucket{le="0.01"}': "0+30"},
    "PilviDriverSlow": {'pilvi_driver_call_seconds_bucket{le="10"}': "0+1"},
    "PilviWorkOverdue": {'pilvi_work_overdue_seconds{kind="server"}': "90"},
    "PilviWorkFailing": {'pilvi_work_failing{kind="server"}': "1"},
    "PilviServersChangeSlowly": {"pilvi_servers_oldest_change_seconds": "4000"},
    "PilviAuditViolated": {'pilvi_audit_violations{invariant="claims-fit"}': "1"},
    "PilviAuditLate": {'pilvi_audit_age_seconds{invariant="claims-fit"}': "2000"},
    "PilviHostDown": {'pilvi_host_up{host="a"}': "0"},
    "PilviHostLineBroken": {'pilvi_host_connected{host="a"}': "0"},
    "PilviHostBehind": {'pilvi_host_revisions_behind{host="a"}': "2"},
    "PilviHostDiskFull": {'pilvi_host_disk_free_bytes{host="a"}': "5"},
    "PilviHostMemoryLow": {'pilvi_host_memory_available_bytes{host="a"}': "2"},
    "PilviHostBusy": {'pilvi_host_cpu_seconds_total{host="a",mode="idle"}': "0+1"},
    "PilviCapacityLow": {'pilvi_host_claimed{host="a",resource="VCPU"}': "7.5"},
    "PilviRequestsWait": {'pilvi_http_requests_waiting{worker="0"}': "80"},
    "PilviFrontConnections": {'haproxy_frontend_current_sessions{proxy="public"}': "90"},
}


def values(text: str) -> str:
    """`5` lasts, `0+6` grows."""
    return text + LONG if "+" in text else f"{text}+0{LONG}"


def played(series: dict[str, str], ringing: list[str]) -> dict[str, Any]:
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in ringing]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values(text)} for name, text in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "80m",
                "exp_samples": expected,
            }
        ],
    }


def test_every_alert_has_a_sickness() -> None:
    assert set(SICK) == {alert.name for alert in alerts.ALERTS}


def test_each_rings_alone_and_none_without_need(tmp_path: Path) -> None:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.fail("Debian's package prometheus is missing; `./pilvi test e2e` installs it.")
    (tmp_path / "alerts.yml").write_text(alerts.rules())
    tests = [played(HEALTHY, [])] + [played({**HEALTHY, **sick}, [name]) for name, sick in SICK.items()]
    document = {"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yml").write_text(json.dumps(document))
    result = run([tool, "test", "rules", str(tmp_path / "tests.yml")], check=False)
    assert result.returncode == 0, re.sub(r"\n+", "\n", result.stderr + result.stdout)[-4000:]
