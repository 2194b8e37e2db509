"""Times that clients send."""

import pytest

from pilvi.kernel import clock


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", ""])
def test_what_is_no_time_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        clock.parse(text)


def test_a_time_counts_in_its_zone() -> None:
    assert clock.parse("1970-01-01T01:00:00+01:00") == clock.parse("1970-01-01") == 0.0
