"""One cloud for all tests of a run that do not break it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site, cloud


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path: Path = tmp_path_factory.mktemp("site") / "s"
    with cloud(path) as made:
        yield made
