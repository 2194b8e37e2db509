"""What a first user does, end to end, on real guests."""

from pathlib import Path

import pytest

from tests.e2e.site import Site
from tests.e2e.walk import Walk

pytestmark = [pytest.mark.root, pytest.mark.guest, pytest.mark.timeout(1800)]


def test_the_walk_ends_right_and_leaves_nothing(site: Site, tmp_path: Path) -> None:
    Walk(site, tmp_path).take()
