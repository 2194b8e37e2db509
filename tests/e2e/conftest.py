"""One cloud for all tests of a run that do not break it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import secrets_seen
from tests.e2e.site import Site, cloud


@pytest.fixture(scope="session", autouse=True)
def no_secret_is_told() -> Iterator[None]:
    """The first fixture of a run is the last to end: all clouds are gone by then, and have been examined."""
    yield
    assert not secrets_seen.found, "\n".join(secrets_seen.found)
    assert secrets_seen.begun <= secrets_seen.examined, "A cloud of this run was not examined."


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path: Path = tmp_path_factory.mktemp("site") / "s"
    with cloud(path) as made:
        yield made
