"""A cloud with the drivers' twins: the public suites here ask the APIs, not guests.

PILVI_ACCEPTANCE_ENGINE=postgresql   puts it on a PostgreSQL of its own
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pilvi.ops.scratch_postgres import scratch_postgres
from tests.e2e.site import Site, cloud

FAKE = ("compute.hypervisor=fake", "network.driver=fake")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        settings = FAKE
        if os.environ.get("PILVI_ACCEPTANCE_ENGINE") == "postgresql":
            settings = (*FAKE, f"database.url={stack.enter_context(scratch_postgres())}")
        yield stack.enter_context(cloud(tmp_path_factory.mktemp("acceptance") / "s", settings=settings))
