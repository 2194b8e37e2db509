"""A guest's screen in a real browser, through the front and `live`, once per token."""

import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.browser import picture
from tests.e2e.site import Site, until

pytestmark = [pytest.mark.root, pytest.mark.guest, pytest.mark.timeout(900)]
CONNECTED = "document.documentElement.classList.contains('noVNC_connected')"
DARK = """
(() => { const c = document.querySelector('canvas'); if (!c || !c.width) return false;
const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
let lit = 0; for (let i = 0; i < d.length; i += 4) if (d[i] + d[i + 1] + d[i + 2] > 300) lit++;
return lit > 500; })()
"""
"""The screen shows text: enough of it is not black."""


def test_a_browser_shows_the_guests_login(site: Site, tmp_path: Path) -> None:
    site.openstack("server", "create", "--image", "tiny", "--flavor", "m1.nano", "--nic", "none", "--wait", "screen")
    try:
        until(
            lambda: "login:" in site.openstack("console", "log", "show", "screen", show=False), "the login", limit_s=300
        )
        url = site.openstack("console", "url", "show", "screen")["url"]
        target = tmp_path / "console.png"
        picture(url, target, ready=f"{CONNECTED} && {DARK.strip()}")
        assert target.stat().st_size > 2000
        if keep := os.environ.get("PILVI_KEEP_PICTURES"):
            shutil.copy(target, Path(keep) / "console.png")
        with pytest.raises(AssertionError):
            picture(url, target, ready=CONNECTED, limit_s=8)
    finally:
        site.openstack("server", "delete", "--wait", "screen", show=False)
