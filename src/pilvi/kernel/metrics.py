"""Counters, gauges and histograms of one process: cheap to raise, listed as plain data that any process can read.

An observation is a lock and a dictionary: less than a microsecond. What may be measured is declared once, in
`pilvi.kernel.measures`; a name that is not declared there reaches nobody. docs/decisions/0043.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[str, ...]
Snapshot = dict[str, list[list[Any]]]
"""Name → samples, each `[labels, value]`; the value of a histogram is `[count per bucket ..., count beyond, sum]`."""

SERIES_MOST: Final = 5000
"""Of one measure in one process. What comes beyond is counted under the label `other`."""
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured: its name, what it tells, and by what it is told apart."""

    name: str
    kind: Kind
    help: str
    labels: Labels = ()
    buckets: tuple[float, ...] = ()


CATALOGUE: Final[dict[str, Measure]] = {}
"""Every measure there is, by name."""


class Counter:
    """Only grows."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self._values: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def inc(self, *labels: str, by: float = 1.0) -> None:
        values = self._values
        with self._lock:
            try:
                values[labels] += by
            except KeyError:
                labels = _room_for(values, labels)
                values[labels] = values.get(labels, 0.0) + by

    def samples(self) -> list[list[Any]]:
        with self._lock:
            return [[list(labels), value] for labels, value in self._values.items()]


class Histogram:
    """How often something took how long."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self._buckets = measure.buckets
        self._values: dict[Labels, list[float]] = {}
        self._lock = threading.Lock()

    def observe(self, value: float, *labels: str) -> None:
        place = bisect_left(self._buckets, value)
        with self._lock:
            counts = self._values.get(labels)
            if counts is None:
                labels = _room_for(self._values, labels)
                counts = self._values.setdefault(labels, [0.0] * (len(self._buckets) + 2))
            counts[place] += 1
            counts[-1] += value

    def samples(self) -> list[list[Any]]:
        with self._lock:
            return [[list(labels), list(counts)] for labels, counts in self._values.items()]


def _room_for(values: Mapping[Labels, Any], labels: Labels) -> Labels:
    return labels if len(values) < SERIES_MOST else ("other",) * len(labels)


Collected = Iterable[tuple[Measure, Labels, float]]
Collector = Callable[[], Collected]
"""Reads what is true now: gauges, and counters that somebody else counts, such as the kernel."""

_kept: Final[list[Counter | Histogram]] = []
collectors: Final[list[Collector]] = []
"""Asked at every snapshot of this process."""


def counter(name: str, help: str, *labels: str) -> Counter:
    kept = Counter(_declare(Measure(name, "counter", help, labels)))
    _kept.append(kept)
    return kept


def histogram(name: str, help: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
    kept = Histogram(_declare(Measure(name, "histogram", help, labels, buckets)))
    _kept.append(kept)
    return kept


def gauge(name: str, help: str, *labels: str) -> Measure:
    """A value that a collector reads when it is asked for."""
    return _declare(Measure(name, "gauge", help, labels))


def counted(name: str, help: str, *labels: str) -> Measure:
    """A counter that is kept elsewhere and read by a collector."""
    return _declare(Measure(name, "counter", help, labels))


def _declare(measure: Measure) -> Measure:
    assert measure.name not in CATALOGUE, f"{measure.name} is declared twice"
    CATALOGUE[measure.name] = measure
    return measure


def gather(collected: Collected) -> Snapshot:
    """What a collector says, in the form of a snapshot."""
    result: Snapshot = {}
    for measure, labels, value in collected:
        result.setdefault(measure.name, []).append([list(labels), value])
    return result


def snapshot() -> Snapshot:
    """Everything that this process knows, as plain data. A collector that fails is left out."""
    result: Snapshot = {}
    for collector in collectors:
        try:
            result |= gather(collector())
        except (OSError, ValueError) as error:
            COLLECTOR_FAILURES.inc(type(error).__name__)
    for kept in _kept:
        samples = kept.samples()
        if samples:
            result[kept.measure.name] = samples
    return result


COLLECTOR_FAILURES: Final = counter("pilvi_collector_failures_total", "Collectors that failed.", "error")
