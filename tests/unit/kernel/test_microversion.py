"""Which microversion is in force."""

import pytest

from pilvi.kernel.errors import BadRequest, NotAcceptable
from pilvi.kernel.microversion import Versions

VERSIONS = Versions("compute", 2, {"2.1": "first", "2.2": "more", "2.10": "most"}, legacy_header="X-Old")


@pytest.mark.parametrize(
    ("header", "legacy", "found"),
    [
        (None, None, 1), ("compute 2.2", None, 2), ("compute latest", None, 10), (None, "2.10", 10),
        ("volume 3.7", None, 1), ("volume 3.7, compute 2.2", "2.10", 2),
    ],
)  # fmt: skip
def test_the_header_decides_and_the_legacy_header_after_it(header: str | None, legacy: str | None, found: int) -> None:
    assert VERSIONS.negotiate(header, legacy) == found


@pytest.mark.parametrize("text", ["2", "2.", "2.01", "x", "2.1.1", "-2.1"])
def test_malformed_versions_are_bad_requests(text: str) -> None:
    with pytest.raises(BadRequest):
        VERSIONS.negotiate(f"compute {text}", None)


@pytest.mark.parametrize("text", ["2.0", "2.11", "3.1", "1.1"])
def test_versions_out_of_range_are_not_acceptable_and_name_the_range(text: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        VERSIONS.negotiate(f"compute {text}", None)
    assert caught.value.extra == {"min_version": "2.1", "max_version": "2.10"}


def test_the_answer_echoes_the_version_in_both_headers() -> None:
    echoed = VERSIONS.echo(2)
    assert echoed["OpenStack-API-Version"] == "compute 2.2"
    assert echoed["X-Old"] == "2.2"
    assert "OpenStack-API-Version" in echoed["Vary"]
