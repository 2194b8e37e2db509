"""Placement's own API tests: each file passes as many as it did, whatever rights it wants the service to have.

PILVI_RATCHET='REGEX' pytest tests/acceptance/test_placement.py     runs the files of REGEX and notes what passes
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from pilvi.kernel.policy import RULES
from pilvi.ops.scratch_postgres import scratch_postgres
from pilvi.placement import routes
from tests.acceptance.conftest import FAKE
from tests.acceptance.translator import translator
from tests.e2e.site import ROOT, Site, cloud, until

pytestmark = [pytest.mark.root, pytest.mark.timeout(1200)]
TOOL = ROOT.parent / "shared" / "tools" / "placement_gabbi.sh"
LIST = Path(__file__).parent / "placement.txt"
LINE = re.compile(r"^(\S+) +passed +(\d+) failed +(\d+) skipped +(\d+) of +(\d+)$")

OLD: Mapping[str, str] = {"placement:reshaper:reshape": "role:admin or role:service"}
"""What upstream allows until an operator asks for its newer defaults, which are ours."""
NEW: Mapping[str, str] = {}


def open_to_all() -> Mapping[str, str]:
    assert routes.all_routes()
    return {name: "@" for name in RULES if name.startswith("placement:")}


ORIGIN = "http://valid.example.com"
"""Whose pages one of the files takes for allowed."""


class Rig:
    def __init__(self, site: Site, database: str, url: str) -> None:
        self.site = site
        self.url = url
        self._reset = f"cd {ROOT} && {sys.executable} -m tests.acceptance.empty_placement '{database}'"

    def allow(self, rules: Mapping[str, str]) -> None:
        path = self.site.state / "policy" / "placement.yaml"
        text = yaml.safe_dump(dict(rules))
        if (path.read_text() if path.exists() else yaml.safe_dump({})) == text:
            return
        log = self.site.state / "log" / "api.log"
        before = log.read_text().count("policy.applied")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        until(lambda: log.read_text().count("policy.applied") > before, "the new rules are in force", every_s=0.2)

    def run(self, pattern: str) -> dict[str, int]:
        """File → how many of its tests passed."""
        environment = {**os.environ, "PLACEMENT_URL": self.url, "RESET_CMD": self._reset, "SHOW": "9"}
        environment.pop("ADMIN_TOKEN", None)
        result = subprocess.run(
            ["bash", str(TOOL), pattern],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        print(result.stderr[-20_000:])
        print((result.stdout.strip().splitlines() or ["nothing was printed"])[-1])
        return {m[1]: int(m[2]) for line in result.stderr.splitlines() if (m := LINE.match(line))}


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    """A host that reports brings its provider back, and the files want to be alone."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def placement(folder: Path, *more: str) -> Iterator[Rig]:
    """A cloud with settings of its own."""
    with ExitStack() as stack:
        settings, database = [*FAKE, *more], str(folder / "s" / "cloud.db")
        if os.environ.get("PILVI_ACCEPTANCE_ENGINE") == "postgresql":
            database = stack.enter_context(scratch_postgres())
            settings.append(f"database.url={database}")
        site = stack.enter_context(cloud(folder / "s", settings=settings))
        stack.enter_context(asleep(site.pids()["agent"]))
        yield Rig(site, database, stack.enter_context(translator(site)))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with placement(tmp_path_factory.mktemp("placement")) as made:
        yield made


def judge(found: Mapping[str, int], belongs: re.Pattern[str]) -> None:
    noted = {name: int(count) for name, count in (line.split() for line in LIST.read_text().splitlines())}
    if "PILVI_RATCHET" in os.environ:
        noted |= {name: max(count, noted.get(name, 0)) for name, count in found.items()}
        LIST.write_text("".join(f"{name} {count}\n" for name, count in sorted(noted.items())))
        return
    mine = {name: count for name, count in noted.items() if belongs.search(name)}
    assert mine
    assert {name: found.get(name) for name, count in mine.items() if found.get(name, 0) < count} == {}


needs_tool = pytest.mark.skipif(not TOOL.exists(), reason="the suites' scripts lie beside the project, in shared/tools")


@needs_tool
@pytest.mark.parametrize(
    ("files", "rules"),
    [
        ("^(?!cors$|.*-policy$|.*-secure-rbac$)", OLD),
        ("^.*-secure-rbac$", NEW),
        ("^.*-policy$", None),
    ],
    ids=["old rights", "new rights", "open to all"],
)  # fmt: skip
def test_each_file_passes_as_many_as_it_did(rig: Rig, files: str, rules: Mapping[str, str] | None) -> None:
    rig.allow(open_to_all() if rules is None else rules)
    wanted = os.environ.get("PILVI_RATCHET", "")
    judge(rig.run(f"^(?=.*({wanted})){files[1:]}"), re.compile(files))


@needs_tool
def test_pages_of_an_allowed_origin_are_let_in(tmp_path: Path) -> None:
    with placement(tmp_path, f"front.cors_origins={ORIGIN}") as rig:
        judge(rig.run("^cors$"), re.compile("^cors$"))
