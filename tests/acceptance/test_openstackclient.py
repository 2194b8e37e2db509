"""The stock client's own functional tests: each drives the real `openstack` command. What is listed goes on passing.

Each starts a few commands, so that the list takes half an hour on two cores. Here a part of it runs by default.

PILVI_OPENSTACKCLIENT='REGEX' pytest tests/acceptance/test_openstackclient.py    runs what REGEX selects, and notes it
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.site import ROOT, Site

pytestmark = [pytest.mark.root, pytest.mark.timeout(4000)]
TOOL = ROOT.parent / "shared" / "tools" / "osc_functional.sh"
LIST = Path(__file__).parent / "openstackclient.txt"
PART = r"functional\.(image\.v2\.test_info|image\.v2\.test_image\b|identity\.v3\.test_application_credential)"


def run(site: Site, out: Path, wanted: str) -> dict[str, str]:
    """Test → `passed`, `failed` or `skipped`."""
    environment = {
        **os.environ,
        "AUTH_URL": f"http://127.0.0.1:{site.port}/identity",
        "ADMIN_PASSWORD": (site.state / "secrets" / "admin_password").read_text().strip(),
        "OUT": str(out),
    }
    result = subprocess.run(
        ["bash", str(TOOL), wanted],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3900, check=False,
    )  # fmt: skip
    print((result.stdout.strip().splitlines() or [result.stderr[-2000:]])[-1])
    found = json.loads((out / "results.json").read_text())
    return {name.partition("[")[0]: entry["verdict"] for name, entry in found.items()}


@pytest.mark.skipif(not TOOL.exists(), reason="the suites' scripts lie beside the project, in shared/tools")
def test_what_passed_once_passes(site: Site, tmp_path: Path) -> None:
    listed = set(LIST.read_text().split())
    wanted = os.environ.get("PILVI_OPENSTACKCLIENT")
    found = run(site, tmp_path / "out", wanted or PART)
    passed = {name for name, verdict in found.items() if verdict == "passed"}
    if wanted:
        LIST.write_text("\n".join(sorted(listed | passed)) + "\n")
    asked = {name for name in listed if re.search(wanted or PART, name)}
    assert len(asked) >= (1 if wanted else 15)
    assert sorted(asked - passed) == []
