"""What fuzzing once found, and the seeds it begins with: see tests/fuzz/inspector.py."""

from pathlib import Path

import pytest

from tests.fuzz import inspector

KEPT = sorted((Path(__file__).parent / "kept").iterdir())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_what_once_went_wrong(path: Path) -> None:
    inspector.check(path.read_bytes())


@pytest.mark.parametrize("name", inspector.seeds())
def test_what_fuzzing_begins_with(name: str) -> None:
    inspector.check(inspector.seeds()[name])


def test_a_recipe_is_the_file() -> None:
    content = bytes(300) + b"head" + bytes(1000) + b"x" * 70_000 + bytes(5)
    assert inspector.expand(inspector.recipe_of(content, 2)) == (inspector.STEPS[2], content)
