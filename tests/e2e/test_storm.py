"""The same request from fifty connections at the same moment, through the front, to a cloud with real guests."""

import contextlib
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.site import Site, until

pytestmark = [pytest.mark.root, pytest.mark.guest, pytest.mark.timeout(600)]
CONNECTIONS = 50


def test_one_key_makes_one_server_however_often_it_is_sent(site: Site) -> None:
    token = site.openstack("token", "issue")["id"]
    image, flavor = (site.openstack(kind, "list")[0]["ID"] for kind in ("image", "flavor"))
    server = {"name": "storm", "imageRef": image, "flavorRef": flavor, "networks": "none"}
    body = json.dumps({"server": server}).encode()
    headers = {
        "X-Auth-Token": token, "Content-Type": "application/json", "OpenStack-API-Version": "compute 2.37",
        "Idempotency-Key": "storm-of-the-test",
    }  # fmt: skip
    gate = threading.Barrier(CONNECTIONS)

    def send(_: int) -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)) as connection:
            connection.connect()
            gate.wait(60)
            connection.request("POST", "/compute/v2.1/servers", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    try:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            answers = set(pool.map(send, range(CONNECTIONS)))
        assert len(answers) == 1
        status, content = answers.pop()
        assert status == 202
        (made,) = site.openstack("server", "list", "--name", "storm")
        assert made["ID"] == json.loads(content)["server"]["id"]
        until(lambda: site.openstack("server", "show", "storm")["status"] == "ACTIVE", "the server", limit_s=120)
        assert len(site.guests()) == 1
    finally:
        site.openstack("server", "delete", "--wait", "storm", show=False)
