"""An image of a running guest, by the stock client: what the guest wrote is on the disk of a guest made of it."""

from pathlib import Path

import pytest

from tests.e2e.site import Site, until

pytestmark = [pytest.mark.root, pytest.mark.guest, pytest.mark.timeout(900)]


def boot(site: Site, folder: Path, name: str, image: str, script: str) -> None:
    """A guest that runs the script at its start; returns once the script has run."""
    file = folder / f"{name}.sh"
    file.write_text(f"#!/bin/sh\n{script}\necho {name} is done\n")
    site.openstack(
        "server", "create", "--image", image, "--flavor", "m1.nano", "--nic", "none", "--config-drive", "True",
        "--user-data", str(file), "--wait", name,
    )  # fmt: skip
    until(lambda: f"{name} is done" in console(site, name), "the script", limit_s=300)


def console(site: Site, name: str) -> str:
    return str(site.openstack("console", "log", "show", name, show=False))


def test_what_a_guest_wrote_is_in_its_image(site: Site, tmp_path: Path) -> None:
    try:
        boot(site, tmp_path, "origin", "tiny", "echo salt >/etc/kept; sync")
        made = site.openstack("server", "image", "create", "--wait", "--name", "copy", "origin")
        assert made["status"] == "active"
        shown = site.openstack("image", "show", "copy")
        assert shown["properties"]["image_type"] == "snapshot"
        assert shown["size"] > 1_000_000
        assert site.openstack("server", "show", "origin")["status"] == "ACTIVE"
        site.openstack("server", "delete", "--wait", "origin", show=False)
        boot(site, tmp_path, "offspring", "copy", "echo it has $(cat /etc/kept)")
        assert "it has salt" in console(site, "offspring")
        told = site.pilvi("why", made["id"]).stdout
        assert "copy" in told
    finally:
        for name in ("origin", "offspring"):
            if name in str(site.openstack("server", "list")):
                site.openstack("server", "delete", "--wait", name, show=False)
        site.openstack("image", "delete", "copy", show=False)
    left = [path for path in site.state.rglob("snapshot*") if path.is_file()]
    assert left == []
