"""New secrets under a cloud that works: nobody is turned away meanwhile, nothing restarts."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.e2e.site import Site, cloud, until

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = ("compute.hypervisor=fake", "network.driver=fake", "agent.report_interval_s=2")
    with cloud(tmp_path_factory.mktemp("rotate") / "s", settings=settings) as made:
        yield made


class Asking(threading.Thread):
    """Asks as a client all the time, and keeps what was not as it should be."""

    def __init__(self, site: Site, token: str) -> None:
        super().__init__(daemon=True)
        self._base, self._token = f"http://127.0.0.1:{site.port}", token
        self.done = threading.Event()
        self.asked = 0
        self.odd: list[str] = []

    def run(self) -> None:
        while not self.done.is_set():
            for path in ("/identity/v3/auth/projects", "/image/v2/images", "/compute/v2.1/flavors"):
                try:
                    with urlopen(
                        Request(self._base + path, headers={"X-Auth-Token": self._token}), timeout=60
                    ) as reply:
                        links = json.loads(reply.read())
                        assert reply.status == 200
                        assert "localhost" not in str(links)
                except (HTTPError, AssertionError, OSError) as error:
                    self.odd.append(f"{path}: {error!r}")
                self.asked += 1


def scrape(site: Site, token: str) -> int:
    asked = Request(f"http://127.0.0.1:{site.port}/metrics", headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(asked, timeout=60) as reply:
            return int(reply.status)
    except HTTPError as error:
        return error.code


def host_seen_at(site: Site) -> str:
    listed = site.openstack("compute", "service", "list", "--service", "nova-compute")
    return str(listed[0]["Updated At"]) if listed[0]["State"] == "up" else ""


def secrets_of(site: Site) -> dict[str, str]:
    folder: Path = site.state / "secrets"
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_everything_is_new_and_nobody_noticed(site: Site) -> None:
    token = site.openstack("token", "issue")["id"]
    before, pids = secrets_of(site), site.pids()
    certificate = (site.state / "ca" / "front.pem").read_bytes()
    asking = Asking(site, token)
    asking.start()
    try:
        for _ in range(2):
            output = site.pilvi("rotate").stdout
            assert "new secret between it and the processes behind it" in output
        seen = host_seen_at(site)
        until(lambda: host_seen_at(site) > seen, "the host reports with its new certificate", limit_s=120)
        until(lambda: asking.asked > 100, "a hundred requests", limit_s=120)
    finally:
        asking.done.set()
        asking.join()
    assert asking.odd == []
    after = secrets_of(site)
    assert {name for name in before if before[name] == after[name]} == {"admin_password"}
    assert (site.state / "ca" / "front.pem").read_bytes() != certificate
    assert {name: pid for name, pid in site.pids().items() if pids[name] != pid} == {}
    assert scrape(site, before["metrics_token"].strip()) == 401
    assert scrape(site, after["metrics_token"].strip()) == 200
    assert "sealed:" not in token
    assert site.pilvi("up", "--no-image").returncode == 0
