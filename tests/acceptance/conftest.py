"""A cloud with the drivers' twins: the public suites here ask the APIs, not guests."""

from collections.abc import Iterator

import pytest

from tests.e2e.site import Site, cloud

FAKE = ("compute.hypervisor=fake", "network.driver=fake")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with cloud(tmp_path_factory.mktemp("acceptance") / "s", settings=FAKE) as made:
        yield made
