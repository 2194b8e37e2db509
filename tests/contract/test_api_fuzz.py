"""Requests made by schemathesis from our own documents: none is answered with 500, none in a way we do not document.

The long walk is a command: see `tests/fuzz_api`.
"""

from pathlib import Path

import pytest

from tests.fuzz_api.walk import Walk

SHORT = {"identity": 700, "image": 400, "placement": 400, "network": 300, "compute": 300}
SEED = 20261122


@pytest.mark.parametrize("service", SHORT)
def test_a_short_walk_finds_nothing(service: str, tmp_path: Path) -> None:
    report = Walk(service, tmp_path, SEED).run(SHORT[service])
    assert report.requests == SHORT[service]
    assert len(report.reached) >= report.operations // 4, report
    assert report.findings == {}, report
