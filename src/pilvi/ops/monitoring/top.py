"""`pilvi top`: what the cloud does now, from two moments and an hour of the built-in store."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pilvi.kernel import clock
from pilvi.ops.monitoring import keys
from pilvi.ops.monitoring.keys import Moment, Span
from pilvi.ops.monitoring.model import Part, values, vet

ROWS_MOST: Final = 12
"""Of guests and of routes: the busiest."""
WIDE: Final = 110
"""Columns from which ids are shown whole."""
SHORT: Final = {"VCPU": "cpu", "MEMORY_MB": "mem", "DISK_GB": "disk"}
SPARKS: Final = " ▁▂▃▄▅▆▇█"
History = Sequence[tuple[int, Mapping[str, float]]]


def moment(document: Mapping[str, Any], at_s: float) -> Moment:
    """From the answer of `live` to /internal/figures."""
    parts = [Part(dict(labels), vet(figures)) for labels, figures in document["parts"]]
    return Moment(at_s, parts, str(document.get("front", "")))


def report(before: Moment, after: Moment) -> dict[str, Any]:
    """Everything that is shown, as data; `--json` prints it."""
    span = Span(before, after)
    return {
        "at": clock.timestamp(),
        "over_s": round(span.seconds, 3),
        "cloud": {name: _round(work(span)) for name, work in keys.CLOUD.items()},
        "violations": {labels["invariant"]: value for labels, value in _set(span, "pilvi_audit_violations")},
        "silent_sources": [labels["source"] for labels, value in _all(span, "pilvi_scrape_source_up") if not value],
        "hosts": [_host(span, host) for host in keys.hosts_of(after.parts)],
        "guests": _guests(span),
        "loops": _loops(span),
        "requests": _routes(span),
        "processes": _processes(span),
    }


def _all(span: Span, name: str, **where: str) -> list[tuple[Mapping[str, str], float]]:
    return list(values(span.after.parts, name, **where))


def _set(span: Span, name: str) -> list[tuple[Mapping[str, str], float]]:
    return [(labels, value) for labels, value in _all(span, name) if value]


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def _host(span: Span, host: str) -> dict[str, Any]:
    figures = {name: _round(work(span, host)) for name, work in keys.HOST.items()}
    claimed = {labels["resource"]: value for labels, value in _all(span, "pilvi_host_claimed", host=host)}
    offered = {labels["resource"]: value for labels, value in _all(span, "pilvi_host_capacity", host=host)}
    shares = {name: _round(claimed.get(name, 0.0) / total) for name, total in offered.items() if total}
    up, line = (bool(span.sum(name, host=host)) for name in ("pilvi_host_up", "pilvi_host_connected"))
    return {"host": host, "up": up, "connected": line, **figures, "claimed": shares}


def _guests(span: Span) -> list[dict[str, Any]]:
    names = {
        "cpu": "pilvi_guest_cpu_seconds_total",
        "read_per_s": "pilvi_guest_disk_read_bytes_total",
        "written_per_s": "pilvi_guest_disk_written_bytes_total",
        "received_per_s": "pilvi_guest_network_received_bytes_total",
        "sent_per_s": "pilvi_guest_network_sent_bytes_total",
    }
    found: list[dict[str, Any]] = []
    rates = {what: rates_by(span, name, "server_id") for what, name in names.items()}
    for labels, memory in _all(span, "pilvi_guest_memory_bytes"):
        id = labels["server_id"]
        entry = {what: _round(rate.get(id, 0.0)) for what, rate in rates.items()}
        found.append({"server": id, "host": labels.get("host", ""), "memory_bytes": memory, **entry})
    return sorted(found, key=lambda guest: -guest["cpu"])


def rates_by(span: Span, name: str, *by: str) -> dict[Any, float]:
    """Growth per second of a counter, by labels: one look at each sample, however many there are."""
    former: dict[tuple[tuple[str, str], ...], float] = {
        tuple(sorted(labels.items())): value for labels, value in values(span.before.parts, name)
    }
    result: dict[Any, float] = {}
    for labels, value in values(span.after.parts, name):
        start = former.get(tuple(sorted(labels.items())), 0.0)
        grown = value - start if value >= start else value
        key = labels.get(by[0], "") if len(by) == 1 else tuple(labels.get(each, "") for each in by)
        result[key] = result.get(key, 0.0) + grown / span.seconds
    return result


def _loops(span: Span) -> list[dict[str, Any]]:
    turns = rates_by(span, "pilvi_loop_turns_total", "kind")
    kinds = [labels["kind"] for labels, _ in _all(span, "pilvi_work_rows")]
    return [
        {
            "kind": kind,
            "rows": span.sum("pilvi_work_rows", kind=kind),
            "leased": span.sum("pilvi_work_leased", kind=kind),
            "failing": span.sum("pilvi_work_failing", kind=kind),
            "oldest_s": _round(span.most("pilvi_work_oldest_seconds", kind=kind)),
            "overdue_s": _round(span.most("pilvi_work_overdue_seconds", kind=kind)),
            "turns_per_s": _round(turns.get(kind, 0.0)),
        }
        for kind in kinds
    ]


def _routes(span: Span) -> list[dict[str, Any]]:
    """The busiest, with the mean time of what was answered in between."""
    counted = rates_by(span, "pilvi_http_requests_total", "service", "route", "status")
    times = _times(span)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (service, route, status), rate in counted.items():
        empty = {"service": service, "route": route, "per_s": 0.0, "failures_per_s": 0.0, "mean_ms": 0.0}
        entry = found.setdefault((service, route), empty)
        entry["per_s"] = _round(entry["per_s"] + rate)
        entry["failures_per_s"] += _round(rate) if status.startswith("5") else 0.0
        number, seconds = times.get((service, route), (0.0, 0.0))
        entry["mean_ms"] = _round(seconds / number * 1000) if number else 0.0
    busy = [entry for entry in found.values() if entry["per_s"]]
    return sorted(busy, key=lambda entry: -entry["per_s"])


def _times(span: Span) -> dict[tuple[str, str], tuple[float, float]]:
    """Route → requests and seconds in between."""
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for parts, sign in ((span.before.parts, -1.0), (span.after.parts, 1.0)):
        for part in parts:
            for (service, route), value in part.figures.get("pilvi_http_request_seconds", ()):
                number, seconds = sums.get((service, route), (0.0, 0.0))
                sums[service, route] = (number + sign * sum(value[:-1]), seconds + sign * value[-1])
    return {key: pair for key, pair in sums.items() if pair[0] > 0}


def _processes(span: Span) -> list[dict[str, Any]]:
    cpu = rates_by(span, "process_cpu_seconds_total", "host", "process", "worker")
    memory = {_who(labels): value for labels, value in _all(span, "process_resident_memory_bytes")}
    restarts = {_who(labels): value for labels, value in _all(span, "pilvi_process_restarts_total")}
    up = {_who(labels): value for labels, value in _all(span, "pilvi_process_up")}
    everyone = sorted({*memory, *(who for who in up if not any(m[:2] == who[:2] for m in memory))})
    return [
        {
            "host": who[0], "process": who[1], "worker": who[2], "cpu": _round(cpu.get(who, 0.0)),
            "memory_bytes": memory.get(who, 0.0), "restarts": restarts.get((*who[:2], ""), 0.0),
            "up": bool(up.get((*who[:2], ""), 1.0)),
        }
        for who in everyone
    ]  # fmt: skip


def _who(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return labels.get("host", ""), labels.get("process", ""), labels.get("worker", "")


# -- for people ------------------------------------------------------------------------------------------------------


def frame(found: Mapping[str, Any], history: History, width: int = 120) -> RenderableType:
    """One picture of the report for a terminal of this width."""
    parts: list[RenderableType] = [_head(found, history), _hosts_table(found["hosts"])]
    if found["guests"]:
        parts.append(_guests_table(found["guests"], is_wide=width >= WIDE))
    parts += [_loops_table(found["loops"]), _routes_table(found["requests"]), _processes_table(found["processes"])]
    return Group(*parts)


def _head(found: Mapping[str, Any], history: History) -> Text:
    cloud = found["cloud"]
    up, hosts = sum(host["up"] for host in found["hosts"]), len(found["hosts"])
    text = Text()
    text.append(f"Pilvi  {found['at'][:19].replace('T', ' ')} UTC\n", style="bold")
    text.append(f"hosts {up}/{hosts}  servers {cloud['servers']:.0f}: {cloud['servers_active']:.0f} active, ")
    text.append(f"{cloud['servers_error']:.0f} error, {cloud['servers_changing']:.0f} changing\n")
    text.append(f"requests {cloud['requests_per_s']:.1f}/s, half below {_ms(cloud['request_p50_s'])}, ")
    text.append(f"99 of 100 below {_ms(cloud['request_p99_s'])}, failures {cloud['failures_per_s']:.2f}/s  ")
    text.append(spark([row.get("requests_per_s", 0.0) for _, row in history]) + "\n", style="cyan")
    text.append(f"commits {cloud['commits_per_s']:.1f}/s, 99 of 100 below {_ms(cloud['commit_p99_s'])}  ")
    text.append(f"work {cloud['work_rows']:.0f}, overdue {cloud['work_overdue_s']:.0f} s\n")
    for name, number in found["violations"].items():
        text.append(f"auditor: {number:.0f} violations of {name}\n", style="bold red")
    for source in found["silent_sources"]:
        text.append(f"no figures from {source}\n", style="bold red")
    return text


def spark(series: Sequence[float], width: int = 60) -> str:
    """The last values as small bars."""
    series = list(series)[-width:]
    most = max(series, default=0.0)
    if not most:
        return ""
    return "".join(SPARKS[min(8, max(0, round(value / most * 8)))] for value in series)


def _table(title: str, *columns: str, left: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, expand=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right", no_wrap=True)
    return table


def _hosts_table(hosts: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("HOSTS", "name", "cpu", "load", "memory", "disk", "guests", "claimed", "report", "behind", "line")
    for host in hosts:
        shares = " ".join(f"{SHORT.get(name, name.lower())} {share:.0%}" for name, share in host["claimed"].items())
        table.add_row(
            host["host"], f"{host['cpu']:.0%}", f"{host['load1']:.2f}", f"{host['memory']:.0%}", f"{host['disk']:.0%}",
            f"{host['guests']:.0f}", shares, f"{host['silent_s']:.0f} s", f"{host['behind']:.0f}",
            "yes" if host["connected"] else "no", style="" if host["up"] else "bold red",
        )  # fmt: skip
    return table


def _guests_table(guests: Sequence[Mapping[str, Any]], *, is_wide: bool) -> Table:
    title = f"GUESTS, the busiest of {len(guests)}" if len(guests) > ROWS_MOST else "GUESTS"
    table = _table(title, "server", "host", "cpu", "memory", "read", "written", "received", "sent", left=2)
    for guest in guests[:ROWS_MOST]:
        rates = (guest[name] for name in ("read_per_s", "written_per_s", "received_per_s", "sent_per_s"))
        id = guest["server"] if is_wide else guest["server"][:8]
        table.add_row(
            id, guest["host"], f"{guest['cpu']:.0%}", size(guest["memory_bytes"]),
            *(f"{size(rate)}/s" for rate in rates),
        )  # fmt: skip
    return table


def _loops_table(loops: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("LOOPS", "kind", "keys", "leased", "failing", "oldest", "overdue", "turns/s")
    for loop in loops:
        numbers = (f"{loop[name]:.0f}" for name in ("rows", "leased", "failing"))
        style = "red" if loop["failing"] else ""
        times = (f"{loop['oldest_s']:.0f} s", f"{loop['overdue_s']:.0f} s", f"{loop['turns_per_s']:.2f}")
        table.add_row(loop["kind"], *numbers, *times, style=style)
    return table


def _routes_table(routes: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("REQUESTS, the most frequent", "service", "route", "per s", "mean", "failures/s", left=2)
    for route in routes[:ROWS_MOST]:
        rates = (f"{route['per_s']:.2f}", f"{route['mean_ms']:.1f} ms", f"{route['failures_per_s']:.2f}")
        table.add_row(route["service"], route["route"], *rates)
    return table


def _processes_table(processes: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("PROCESSES", "process", "host", "cpu", "memory", "restarts", left=2)
    for one in processes:
        name = f"{one['process']} {one['worker']}".strip()
        memory = size(one["memory_bytes"]) if one["memory_bytes"] else ""
        style = "" if one["up"] else "bold red"
        cpu = f"{one['cpu']:.1%}" if one["memory_bytes"] else ""
        table.add_row(name, one["host"], cpu, memory, f"{one['restarts']:.0f}", style=style)
    return table


def size(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:g} ms" if seconds else "-"


# -- the past --------------------------------------------------------------------------------------------------------


def past(history: History) -> list[dict[str, Any]]:
    """Each series of the built-in store over a time: least, mean, most, last."""
    names = sorted({name for _, row in history for name in row}, key=lambda name: (name.startswith("host "), name))
    result = []
    for name in names:
        series = [row[name] for _, row in history if name in row]
        mean = _round(sum(series) / len(series))
        figures = {"least": min(series), "mean": mean, "most": max(series), "last": series[-1]}
        result.append({"series": name, **figures, "values": series})
    return result


def past_table(found: Sequence[Mapping[str, Any]], history: History) -> RenderableType:
    if not history:
        return Text("Nothing is remembered of that time.")
    first, last = (clock.timestamp(at)[:16].replace("T", " ") for at in (history[0][0], history[-1][0]))
    table = _table(f"{first} to {last} UTC", "series", "least", "mean", "most", "last", "course")
    table.columns[-1].justify = "left"
    for one in found:
        numbers = (f"{one[name]:.4g}" for name in ("least", "mean", "most", "last"))
        table.add_row(one["series"], *numbers, spark(thinned(one["values"], 40), 40))
    return table


def thinned(series: Sequence[float], width: int) -> list[float]:
    """The same course in fewer points: the most of each stretch."""
    step = max(1, -(-len(series) // width))
    return [max(series[start : start + step]) for start in range(0, len(series), step)]
