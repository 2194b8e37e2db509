"""Figures of many processes as one exposition that Prometheus reads. Pure."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pilvi.kernel.measures import CATALOGUE
from pilvi.kernel.metrics import Measure, Snapshot

LABEL_MOST: Final = 200
"""Characters of one label's value; what is longer is cut."""
SAMPLES_MOST: Final = 200_000
"""Of one source."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one process, or one look at the cloud, told."""

    labels: Mapping[str, str]
    """Added to every sample: process, worker, host."""
    figures: Snapshot = field(default_factory=dict)


def vet(document: Any, allowed: frozenset[Measure] | None = None) -> Snapshot:
    """Figures as they are declared, from a document of any shape; what does not fit is left out."""
    if not isinstance(document, dict):
        return {}
    result: Snapshot = {}
    room = SAMPLES_MOST
    for name, samples in document.items():
        measure = CATALOGUE.get(str(name))
        if measure is None or not isinstance(samples, list) or (allowed is not None and measure not in allowed):
            continue
        fitting = [fit for sample in samples[:room] if (fit := _fit(measure, sample)) is not None]
        room -= len(fitting)
        if fitting:
            result[measure.name] = fitting
    return result


def _fit(measure: Measure, sample: Any) -> list[Any] | None:
    if not isinstance(sample, list) or len(sample) != 2 or not isinstance(sample[0], list):
        return None
    labels, value = [str(label)[:LABEL_MOST] for label in sample[0]], sample[1]
    if len(labels) != len(measure.labels):
        return None
    if measure.kind != "histogram":
        return [labels, float(value)] if _is_number(value) else None
    wanted = len(measure.buckets) + 2
    if not isinstance(value, list) or len(value) != wanted or not all(map(_is_number, value)):
        return None
    return [labels, [float(each) for each in value]]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# -- the text format -------------------------------------------------------------------------------------------------


def render(parts: Iterable[Part], foreign: str = "") -> str:
    """The text format 0.0.4: every family once, with the samples of all parts below it."""
    lines: list[str] = []
    parts = list(parts)
    for measure in CATALOGUE.values():
        samples = [line for part in parts for line in _samples(measure, part)]
        if samples:
            lines += [f"# HELP {measure.name} {measure.help}", f"# TYPE {measure.name} {measure.kind}", *samples]
    return "\n".join(lines) + "\n" + foreign


def _samples(measure: Measure, part: Part) -> Iterable[str]:
    for labels, value in part.figures.get(measure.name, ()):
        own = {**part.labels, **dict(zip(measure.labels, labels, strict=True))}
        if measure.kind == "histogram":
            yield from _histogram(measure, own, value)
        else:
            yield f"{measure.name}{written(own)} {number(value)}"


def _histogram(measure: Measure, labels: Mapping[str, str], value: list[float]) -> Iterable[str]:
    below = 0.0
    for bound, count in zip((*measure.buckets, math.inf), value, strict=False):
        below += count
        at = "+Inf" if bound == math.inf else f"{bound:g}"
        yield f"{measure.name}_bucket{written({**labels, 'le': at})} {number(below)}"
    yield f"{measure.name}_sum{written(labels)} {number(value[-1])}"
    yield f"{measure.name}_count{written(labels)} {number(below)}"


def written(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


# -- haproxy's own -----------------------------------------------------------------------------------------------------

FRONT_FAMILIES: Final = frozenset(
    "haproxy_process_" + name
    for name in ("current_connections", "max_connections", "requests_total", "uptime_seconds", "current_ssl_rate")
) | frozenset(
    f"haproxy_{side}_{name}"
    for side in ("frontend", "backend")
    for name in (
        "current_sessions", "limit_sessions", "http_requests_total", "http_responses_total", "bytes_in_total",
        "bytes_out_total", "requests_denied_total", "request_errors_total", "current_queue",
        "connection_errors_total", "response_errors_total", "retry_warnings_total", "total_time_average_seconds",
        "response_time_average_seconds", "queue_time_average_seconds", "status",
    )
)  # fmt: skip
"""What is kept of the few hundred that haproxy tells."""

_LINE: Final = re.compile(r"([a-z_]+)(?:\{(.*)\})? (\S+)$")


def foreign(text: str, labels: Mapping[str, str]) -> str:
    """haproxy's exposition with our labels on every sample, cut to the families that somebody looks at."""
    own = written(labels)[1:-1]
    lines = []
    for line in text.splitlines():
        if line.startswith("#"):
            if line.split(" ", 3)[2] in FRONT_FAMILIES:
                lines.append(line)
            continue
        match = _LINE.match(line)
        if match is not None and match[1] in FRONT_FAMILIES:
            rest = f"{match[2]}," if match[2] else ""
            lines.append(f"{match[1]}{{{rest}{own}}} {match[3]}")
    return "\n".join(lines) + "\n" if lines else ""


def total(parts: Iterable[Part], name: str, **where: str) -> float:
    """The sum of a measure over all parts; of a histogram, how many were observed."""
    return sum(value for _, value in values(parts, name, **where))


def values(parts: Iterable[Part], name: str, **where: str) -> Iterable[tuple[Mapping[str, str], float]]:
    """Every sample of a measure whose labels are so."""
    measure = CATALOGUE[name]
    for part in parts:
        for labels, value in part.figures.get(name, ()):
            own = {**part.labels, **dict(zip(measure.labels, labels, strict=True))}
            if all(own.get(key) == wanted for key, wanted in where.items()):
                yield own, sum(value[:-1]) if measure.kind == "histogram" else value


def added(parts: Iterable[Part], name: str, by: str) -> dict[str, float]:
    """The sums of a measure by one label."""
    sums: dict[str, float] = {}
    for labels, value in values(parts, name):
        sums[labels.get(by, "")] = sums.get(labels.get(by, ""), 0.0) + value
    return sums


def buckets(parts: Iterable[Part], name: str) -> list[float]:
    """The counts of a histogram's buckets over everything, without the sum of what was observed."""
    measure = CATALOGUE[name]
    sums = [0.0] * (len(measure.buckets) + 1)
    for part in parts:
        for _, value in part.figures.get(name, ()):
            sums = [a + b for a, b in zip(sums, value, strict=False)]
    return sums


def quantile(name: str, counts: list[float], share: float) -> float:
    """The upper bound of the bucket that holds this share; 0 when nothing was observed."""
    bounds, seen, wanted = CATALOGUE[name].buckets, 0.0, share * sum(counts)
    if wanted <= 0:
        return 0.0
    for bound, count in zip(bounds, counts, strict=False):
        seen += count
        if seen >= wanted:
            return bound
    return bounds[-1]
