"""Parts of an image that a reader asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.image.image_data.model import part_of


@pytest.mark.parametrize(
    ("asked", "size", "start", "length"),
    [
        ("", 10, 0, 10),
        ("", 0, 0, 0),
        ("bytes=0-0", 10, 0, 1),
        ("bytes=2-5", 10, 2, 4),
        ("bytes=2-", 10, 2, 8),
        ("bytes=-3", 10, 7, 3),
        ("bytes=-30", 10, 0, 10),
        ("bytes=8-99", 10, 8, 2),
    ],
)
def test_a_part_that_is_there(asked: str, size: int, start: int, length: int) -> None:
    part = part_of(asked, size)
    assert part is not None
    assert (part.start, part.length, part.size, part.is_partial) == (start, length, size, bool(asked))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=5-4", "bytes=-0", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "x"])
def test_a_part_that_is_not(asked: str) -> None:
    assert part_of(asked, 10) is None


def test_a_part_says_where_it_is() -> None:
    part = part_of("bytes=2-5", 10)
    assert part is not None
    assert part.content_range == "bytes 2-5/10"


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d{0,20}-\d{0,20}", fullmatch=True), st.integers(0, 1000))
def test_no_part_is_outside(asked: str, size: int) -> None:
    part = part_of(asked, size)
    assert part is None or 0 <= part.start <= part.start + part.length <= size
