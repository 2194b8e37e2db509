"""The key series of the built-in store: what an operator asks first, worked out from two moments. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from pilvi.ops.monitoring.model import Part, added, buckets, quantile, total, values

HOSTS_MOST: Final = 18
"""Hosts with series of their own, by name; of a larger cloud the sums are kept, and Prometheus knows the rest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything as it was gathered at one time."""

    at_s: float
    parts: list[Part]
    front: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """What lies between two moments."""

    before: Moment
    after: Moment

    @property
    def seconds(self) -> float:
        return max(0.001, self.after.at_s - self.before.at_s)

    def rate(self, name: str, **where: str) -> float:
        """How much per second a counter grew. One that was reset by a restart counts from zero."""
        former = {_key(labels): value for labels, value in values(self.before.parts, name, **where)}
        grown = 0.0
        for labels, value in values(self.after.parts, name, **where):
            start = former.get(_key(labels), 0.0)
            grown += value - start if value >= start else value
        return grown / self.seconds

    def quantile(self, name: str, share: float) -> float:
        """Over what was observed in between."""
        old, new = buckets(self.before.parts, name), buckets(self.after.parts, name)
        grown = [max(0.0, b - a) for a, b in zip(old, new, strict=True)]
        return quantile(name, grown, share)

    def failures(self) -> float:
        """Requests per second that ended in a fault of ours."""
        statuses = added(self.after.parts, "pilvi_http_requests_total", "status")
        return sum(self.rate("pilvi_http_requests_total", status=each) for each in statuses if each.startswith("5"))

    def sum(self, name: str, **where: str) -> float:
        return total(self.after.parts, name, **where)

    def most(self, name: str, **where: str) -> float:
        return max((value for _, value in values(self.after.parts, name, **where)), default=0.0)


def _key(labels: object) -> tuple[tuple[str, str], ...]:
    assert isinstance(labels, dict)
    return tuple(sorted(labels.items()))


CLOUD: Final[dict[str, Callable[[Span], float]]] = {
    "requests_per_s": lambda s: s.rate("pilvi_http_requests_total"),
    "failures_per_s": Span.failures,
    "request_p50_s": lambda s: s.quantile("pilvi_http_request_seconds", 0.5),
    "request_p99_s": lambda s: s.quantile("pilvi_http_request_seconds", 0.99),
    "commits_per_s": lambda s: s.rate("pilvi_database_commit_seconds"),
    "commit_p99_s": lambda s: s.quantile("pilvi_database_commit_seconds", 0.99),
    "turns_per_s": lambda s: s.rate("pilvi_loop_turns_total"),
    "work_rows": lambda s: s.sum("pilvi_work_rows"),
    "work_failing": lambda s: s.sum("pilvi_work_failing"),
    "work_overdue_s": lambda s: s.most("pilvi_work_overdue_seconds"),
    "servers": lambda s: s.sum("pilvi_servers"),
    "servers_active": lambda s: s.sum("pilvi_servers", state="active"),
    "servers_error": lambda s: s.sum("pilvi_servers", state="error"),
    "servers_changing": lambda s: s.sum("pilvi_servers_changing"),
    "audit_violations": lambda s: s.sum("pilvi_audit_violations"),
    "hosts_up": lambda s: s.sum("pilvi_host_up"),
    "driver_calls_per_s": lambda s: s.rate("pilvi_driver_calls_total"),
    "cpu_api": lambda s: s.rate("process_cpu_seconds_total", process="api"),
    "cpu_live": lambda s: s.rate("process_cpu_seconds_total", process="live"),
    "cpu_agents": lambda s: s.rate("process_cpu_seconds_total", process="agent"),
}


def _busy(span: Span, host: str) -> float:
    cpus = span.sum("pilvi_host_cpus", host=host)
    idle = sum(span.rate("pilvi_host_cpu_seconds_total", host=host, mode=mode) for mode in ("idle", "iowait"))
    return min(1.0, max(0.0, 1.0 - idle / cpus)) if cpus else 0.0


def _used(whole: str, free: str) -> Callable[[Span, str], float]:
    def used(span: Span, host: str) -> float:
        everything = span.sum(whole, host=host)
        return 1.0 - span.sum(free, host=host) / everything if everything else 0.0

    return used


HOST: Final[dict[str, Callable[[Span, str], float]]] = {
    "cpu": _busy,
    "load1": lambda s, host: s.sum("pilvi_host_load1", host=host),
    "memory": _used("pilvi_host_memory_bytes", "pilvi_host_memory_available_bytes"),
    "disk": _used("pilvi_host_disk_bytes", "pilvi_host_disk_free_bytes"),
    "guests": lambda s, host: s.sum("pilvi_guests", host=host),
    "guest_cpu": lambda s, host: s.rate("pilvi_guest_cpu_seconds_total", host=host),
    "guest_received_per_s": lambda s, host: s.rate("pilvi_guest_network_received_bytes_total", host=host),
    "guest_sent_per_s": lambda s, host: s.rate("pilvi_guest_network_sent_bytes_total", host=host),
    "behind": lambda s, host: s.sum("pilvi_host_revisions_behind", host=host),
    "silent_s": lambda s, host: s.sum("pilvi_host_report_age_seconds", host=host),
}


def hosts_of(parts: Iterable[Part]) -> list[str]:
    return sorted({labels["host"] for labels, _ in values(parts, "pilvi_host_up")})


def series(before: Moment, after: Moment) -> dict[str, float]:
    """Name → value; a host's series is named `host NAME what`."""
    span = Span(before, after)
    result = {name: work(span) for name, work in CLOUD.items()}
    for host in hosts_of(after.parts)[:HOSTS_MOST]:
        result |= {f"host {host} {name}": work(span, host) for name, work in HOST.items()}
    return result
