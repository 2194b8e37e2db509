"""Counting: cheap, safe in threads, bounded, and only what is declared."""

import threading

import pytest

from pilvi.kernel import measures, metrics
from pilvi.kernel.metrics import Counter, Histogram, Measure


def test_threads_lose_no_count() -> None:
    counter = Counter(Measure("c", "counter", "", ("what",)))
    histogram = Histogram(Measure("h", "histogram", "", (), (1.0, 2.0)))

    def count() -> None:
        for _ in range(5000):
            counter.inc("a")
            histogram.observe(1.5)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.samples() == [[["a"], 20_000.0]]
    assert histogram.samples() == [[[], [0.0, 20_000.0, 0.0, 30_000.0]]]


def test_a_value_on_a_bound_is_in_the_bucket_of_that_bound() -> None:
    histogram = Histogram(Measure("h", "histogram", "", (), (1.0, 2.0)))
    for value in (0.5, 1.0, 2.0, 2.1):
        histogram.observe(value)
    assert histogram.samples()[0][1] == [2.0, 1.0, 1.0, 5.6]


def test_labels_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "SERIES_MOST", 3)
    counter = Counter(Measure("c", "counter", "", ("what",)))
    for number in range(10):
        counter.inc(str(number))
    counter.inc("1")
    assert len(counter.samples()) == 4
    assert [["other"], 7.0] in counter.samples()
    assert [["1"], 2.0] in counter.samples()


def test_a_name_is_declared_once() -> None:
    with pytest.raises(AssertionError, match="declared twice"):
        metrics.counter("pilvi_http_requests_total", "Again.")


def test_a_collector_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> metrics.Collected:
        yield measures.HOST_LOAD, (), 1.0
        raise OSError("gone")

    monkeypatch.setattr(metrics, "collectors", [broken, lambda: [(measures.HOST_CPUS, (), 2.0)]])
    found = metrics.snapshot()
    assert "pilvi_host_load1" not in found
    assert found["pilvi_host_cpus"] == [[[], 2.0]]
    assert found["pilvi_collector_failures_total"]
