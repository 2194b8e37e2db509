"""Tempest, as far as it passes: what is in the list must go on passing, and the list only grows.

PILVI_RATCHET='REGEX' pytest tests/acceptance     runs what REGEX selects and adds what passes to the list
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.site import ROOT, Site

pytestmark = [pytest.mark.root, pytest.mark.timeout(3000)]
TOOL = ROOT.parent / "shared" / "tools" / "tempest.sh"
LIST = Path(__file__).parent / "tempest.txt"


def run(site: Site, out: Path, **more: str) -> dict[str, str]:
    """Test → `passed`, `failed` or `skipped`."""
    environment = {
        **os.environ,
        "AUTH_URL": f"http://127.0.0.1:{site.port}/identity",
        "ADMIN_PASSWORD": (site.state / "secrets" / "admin_password").read_text().strip(),
        "PROFILE": "api",
        "SERVICES": "nova glance neutron",
        "OUT": str(out),
        **more,
    }
    words = ["bash", str(TOOL), *([more["REGEX"]] if "REGEX" in more else [])]
    result = subprocess.run(
        words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2900, check=False
    )
    print(result.stdout.strip().splitlines()[-1] if result.stdout.strip() else result.stderr[-2000:])
    found = json.loads((out / "results.json").read_text())
    return {name.partition("[")[0]: entry["verdict"] for name, entry in found.items()}


@pytest.mark.skipif(not TOOL.exists(), reason="the suites' scripts lie beside the project, in shared/tools")
def test_what_passed_once_passes(site: Site, switches: str, tmp_path: Path) -> None:
    listed = set(LIST.read_text().split())
    wanted = os.environ.get("PILVI_RATCHET")
    if wanted:
        found = run(site, tmp_path / "out", REGEX=wanted, TEMPEST_SET=switches)
        listed |= {name for name, verdict in found.items() if verdict == "passed"}
        LIST.write_text("\n".join(sorted(listed)) + "\n")
        return
    found = run(site, tmp_path / "out", LOAD_LIST=str(LIST), TEMPEST_SET=switches)
    assert sorted(name for name in listed if found.get(name) != "passed") == []
