"""What is generated for monitoring is fresh, and speaks of nothing that is not measured."""

import json
import re

import pytest

from pilvi import main
from pilvi.image import routes as image
from pilvi.kernel.config import Config
from pilvi.kernel.measures import CATALOGUE
from pilvi.ops.monitoring import alerts, dashboards, generate, model, service

HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")


@pytest.mark.parametrize("name", sorted(generate.files()))
def test_the_files_are_fresh(name: str) -> None:
    """After a change: python -m pilvi.ops.monitoring.generate."""
    assert (generate.ROOT / name).read_text() == generate.files()[name]


def names_in(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', "", expression)
    return set(re.findall(r"\b(?:pilvi|process|haproxy)_[a-z0-9_]+", bare))


@pytest.mark.parametrize("expression", [*dashboards.expressions(), *(alert.measure for alert in alerts.ALERTS)])
def test_an_expression_asks_for_measures_that_exist(expression: str) -> None:
    known = set(CATALOGUE) | set(model.FRONT_FAMILIES)
    known |= {
        name + part for name, measure in CATALOGUE.items() if measure.kind == "histogram" for part in HISTOGRAM_PARTS
    }
    assert names_in(expression) - known == set()


def test_every_measure_is_declared_as_prometheus_expects_it() -> None:
    for measure in CATALOGUE.values():
        assert re.fullmatch("[a-z][a-z0-9_]+", measure.name)
        assert measure.help.endswith("."), measure.name
        assert (measure.kind == "counter") == measure.name.endswith("_total"), measure.name
        assert not set(measure.labels) & {"process", "worker", "host", "le"}, measure.name


def test_alerts_are_told_apart_and_say_what_to_do() -> None:
    assert len({alert.name for alert in alerts.ALERTS}) == len(alerts.ALERTS)
    assert all(re.fullmatch(r"[<>] [0-9.]+", alert.limit) for alert in alerts.ALERTS)
    assert all(len(alert.remedy.split()) > 4 for alert in alerts.ALERTS)


def test_panels_of_a_dashboard_do_not_overlap() -> None:
    for board in dashboards.DASHBOARDS:
        places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in json.loads(dashboards.render(board))["panels"]]
        assert len(set(places)) == len(places)


def test_every_kind_of_work_is_shown_before_there_is_any() -> None:
    """A new loop: add its kind to WORK_KINDS of pilvi/ops/monitoring/service.py."""
    config = Config()
    loops = [*main.loops_of(config), *image.live_loops(config, "test"), *image.cache_loops(config)]
    assert {loop.kind for loop in loops} <= set(service.WORK_KINDS)
