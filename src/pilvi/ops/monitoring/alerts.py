"""What wakes somebody up, as data: a measure that always has a value, a limit, how long, and what to do.

Measure and limit are apart so that a test can ask a real Prometheus for each measure: an alert on something that is
not there can never ring.
"""

import json
from dataclasses import dataclass
from typing import Final, Literal

JOB: Final = "pilvi"


@dataclass(frozen=True, slots=True)
class Alert:
    name: str
    measure: str
    """PromQL that has data in a healthy cloud too."""
    limit: str
    """When it is bad, such as `> 0.05`."""
    after: str
    severity: Literal["critical", "warning"]
    summary: str
    remedy: str


def _p99(name: str) -> str:
    return f"histogram_quantile(0.99, sum by (le) (rate({name}_bucket[5m])))"


_FAILED: Final = 'sum(rate(pilvi_http_requests_total{status=~"5.."}[5m]))'
_ALL: Final = "sum(rate(pilvi_http_requests_total[5m]))"
_IDLE: Final = 'sum by (host) (rate(pilvi_host_cpu_seconds_total{mode=~"idle|iowait"}[5m]))'

ALERTS: Final = (
    Alert("PilviFiguresMissing", f'up{{job="{JOB}"}}', "< 1", "2m", "critical",
          "The cloud gives no figures: front or live is down, or the token is wrong.",
          "Run `pilvi status`, then `pilvi logs --process live`."),
    Alert("PilviSourceMissing", "min by (source) (pilvi_scrape_source_up)", "< 1", "5m", "warning",
          "{{ $labels.source }} gives no figures.", "Run `pilvi status`; `pilvi logs` of that process says why."),
    Alert("PilviProcessDown", "min by (host, process) (pilvi_process_up)", "< 1", "1m", "critical",
          "{{ $labels.process }} on {{ $labels.host }} does not run.",
          "Run `pilvi up` there; `pilvi logs --process {{ $labels.process }}` says why it ended."),
    Alert("PilviProcessRestarts", "sum by (host, process) (increase(pilvi_process_restarts_total[15m]))", "> 3", "0m",
          "warning", "{{ $labels.process }} on {{ $labels.host }} dies again and again.",
          "Run `pilvi status` for its last exit and `pilvi logs --process {{ $labels.process }}`."),
    Alert("PilviRequestsFail", f"({_FAILED} or vector(0)) / clamp_min({_ALL}, 0.001)", "> 0.05", "5m", "critical",
          "{{ $value | humanizePercentage }} of the requests end in a fault of ours.",
          "Run `pilvi logs \"request.failed\" --since 10m`, then `pilvi why` with a request id."),
    Alert("PilviRequestsSlow", _p99("pilvi_http_request_seconds"), "> 2", "10m", "warning",
          "The slowest percent of the requests takes {{ $value | humanizeDuration }}.",
          "Look at commits, CPU of `api` and the queue of the front in the dashboard Pilvi cloud."),
    Alert("PilviCommitsSlow", _p99("pilvi_database_commit_seconds"), "> 0.5", "10m", "warning",
          "Making changes durable takes {{ $value | humanizeDuration }}.",
          "The disk of the database is slow or full; move it, or end what else writes there."),
    Alert("PilviWorkOverdue", "max by (kind) (pilvi_work_overdue_seconds)", "> 60", "5m", "critical",
          "Work of kind {{ $labels.kind }} is ripe and no loop takes it.",
          "Is `api` there (`pilvi status`)? Its loops run beside the APIs; `pilvi logs --process api` shows them."),
    Alert("PilviWorkFailing", "sum by (kind) (pilvi_work_failing)", "> 0", "15m", "warning",
          "{{ $value }} keys of kind {{ $labels.kind }} fail again and again.",
          "Run `pilvi logs loop.failed`, then `pilvi why` with the key."),
    Alert("PilviServersChangeSlowly", "max(pilvi_servers_oldest_change_seconds)", "> 1800", "5m", "warning",
          "A server has been in a transition for {{ $value | humanizeDuration }}.",
          "List servers with a task state as admin and ask `pilvi why` about the oldest."),
    Alert("PilviAuditViolated", "max by (invariant) (pilvi_audit_violations)", "> 0", "0m", "critical",
          "The auditor found {{ $value }} violations of {{ $labels.invariant }}.",
          "Run `pilvi audit`; it names the objects. Nothing is repaired silently."),
    Alert("PilviAuditLate", "max(pilvi_audit_age_seconds)", "> 900", "5m", "warning",
          "An invariant was last looked at {{ $value | humanizeDuration }} ago.",
          "The loop `audit` does not get to it: look at PilviWorkOverdue and the CPU of `api`."),
    Alert("PilviHostDown", "min by (host) (pilvi_host_up)", "< 1", "1m", "critical",
          "Host {{ $labels.host }} is silent. Its guests may still run; nothing is scheduled there.",
          "Look after the machine and its agent; guests go on without it."),
    Alert("PilviHostLineBroken", "min by (host) (pilvi_host_connected)", "< 1", "5m", "warning",
          "The agent of {{ $labels.host }} has no line to live: changes reach it seconds late, consoles not at all.",
          "Run `pilvi logs --process agent` on the host."),
    Alert("PilviHostBehind", "max by (host) (pilvi_host_revisions_behind)", "> 0", "10m", "warning",
          "Host {{ $labels.host }} has not applied the last {{ $value }} changes.",
          "Run `pilvi logs --process agent` there: a driver call fails or hangs."),
    Alert("PilviHostDiskFull", "min by (host) (pilvi_host_disk_free_bytes / pilvi_host_disk_bytes)", "< 0.1", "5m",
          "critical", "{{ $value | humanizePercentage }} of the guests' disk space on {{ $labels.host }} is left.",
          "Guests' disks are sparse and grow. Free space, or move servers away."),
    Alert("PilviHostMemoryLow", "min by (host) (pilvi_host_memory_available_bytes / pilvi_host_memory_bytes)", "< 0.05",
          "10m", "critical", "{{ $value | humanizePercentage }} of the memory of {{ $labels.host }} is left.",
          "Lower compute.memory_allocation_ratio or move servers away before the kernel ends a guest."),
    Alert("PilviHostBusy", f"1 - {_IDLE} / max by (host) (pilvi_host_cpus)", "> 0.95", "30m", "warning",
          "The processors of {{ $labels.host }} have been busy for half an hour.",
          "The dashboard Pilvi guests shows whose they are."),
    Alert("PilviCapacityLow", "sum by (resource) (pilvi_host_claimed) / sum by (resource) (pilvi_host_capacity)",
          "> 0.9", "10m", "warning", "{{ $value | humanizePercentage }} of {{ $labels.resource }} is claimed.",
          "Add a host, or raise the allocation ratio if the machines are idle."),
    Alert("PilviDriverSlow", _p99("pilvi_driver_call_seconds"), "> 50", "15m", "warning",
          "Steps on hosts take up to {{ $value | humanizeDuration }}.", "Look at disk and CPU of the hosts."),
    Alert("PilviRequestsWait", "max by (worker) (pilvi_http_requests_waiting)", "> 50", "2m", "warning",
          "{{ $value }} requests wait for a thread of api.", "More api.threads, or api.processes on PostgreSQL."),
    Alert("PilviFrontConnections",
          'max(haproxy_frontend_current_sessions{proxy="public"} / haproxy_frontend_limit_sessions{proxy="public"})',
          "> 0.8", "5m", "warning", "{{ $value | humanizePercentage }} of the public connections are taken.",
          "Raise front.max_connections, or find out who holds them."),
)  # fmt: skip


def rules() -> str:
    """The rules file. JSON's texts are YAML's too."""
    lines = [
        "# Written by `python -m pilvi.ops.monitoring.generate`. Do not edit.",
        "groups:",
        "- name: pilvi",
        "  rules:",
    ]
    for alert in ALERTS:
        lines += [
            f"  - alert: {alert.name}",
            f"    expr: {json.dumps(f'{alert.measure} {alert.limit}')}",
            f"    for: {alert.after}",
            "    labels:",
            f"      severity: {alert.severity}",
            "    annotations:",
            f"      summary: {json.dumps(alert.summary)}",
            f"      description: {json.dumps(alert.remedy)}",
        ]
    return "\n".join(lines) + "\n"


def scrape_configuration(address: str, token_path: str, rules_path: str, *, interval: str = "15s") -> str:
    """A prometheus.yml for one cloud."""
    return f"""\
# Written by `python -m pilvi.ops.monitoring.generate`. Copy it and set address and paths.
global:
  scrape_interval: {interval}
  evaluation_interval: {interval}
rule_files:
- {json.dumps(rules_path)}
scrape_configs:
- job_name: {JOB}
  metrics_path: /metrics
  authorization:
    type: Bearer
    credentials_file: {json.dumps(token_path)}
  static_configs:
  - targets: [{json.dumps(address)}]
"""
