"""The real `live` process behind a real haproxy: slow clients harm nobody, and it stays small."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilvi.identity import facade as identity
from pilvi.identity import routes as identity_routes
from pilvi.image import routes as image_routes
from pilvi.kernel.db import connect
from pilvi.kernel.http import Edge
from pilvi.ops import front as ops_front
from pilvi.ops import processes
from tests.contract.client import Client
from tests.contract.conftest import furnish, settle
from tests.integration.front_rig import SECRET, Front, talk, wait_until

SLOW_CLIENTS = 200
LARGEST_MIB = 100
"""Of memory of its own: 56 after the start, 70 after the transfers below. A copy of one image would be 30 more."""
STALLED_MIB = 50
"""What four hundred clients that stand still may take: 11, where half a megabyte for each would be 200."""
OCTETS = "Content-Type: application/octet-stream"


class Cloud(Front):
    """The front with the real `live`; the JSON APIs are asked in process."""

    def start(self) -> None:
        paths, front = self.config.paths, self.config.front
        paths.config.write_text(
            f'[cloud]\nstate_dir = "{self.root}"\n'
            f'[front]\nlisten = "{front.listen}"\nagents_listen = "{front.agents_listen}"\n'
        )
        paths.secrets.mkdir(mode=0o700)
        paths.front_secret.write_text(SECRET)
        paths.front_secret.chmod(0o600)
        self.database = connect(str(paths.database))
        furnish(self.database)
        services = [identity_routes.service(self.config), *image_routes.services_of(self.config)]
        edge = Edge(self.database, services, identity.authenticate, public_url=self.config.cloud.public_url)
        self.images = settle(Client(edge.application(), {}, database=self.database)).at("/image/v2").as_member()
        starter = (
            f"from pilvi.kernel.config import load; from pilvi.main import run_live; run_live(load({paths.config!r}))"
        )
        self.live = self.spawn_live([sys.executable, "-c", f"from pathlib import PosixPath; {starter}"])
        self.write()
        self.haproxy = self.spawn(ops_front.command(self.config))
        wait_until(paths.live_socket.exists)
        wait_until(lambda: self.get("/console/none-such")[0] == 404)

    def spawn_live(self, argv: list[str]) -> "subprocess.Popen[bytes]":
        """As the supervisor does: what the C library is told about its heaps is in there."""
        return self.spawn(argv, env=processes.environment())

    def stop(self) -> None:
        super().stop()
        self.database.close()

    def token(self) -> str:
        return f"X-Auth-Token: {self.images.tokens['member']}"

    def image(self) -> str:
        return str(self.images.post("/images", {"disk_format": "raw", "container_format": "bare"}).body["id"])

    def status_of(self, id: str) -> str:
        return str(self.images.get(f"/images/{id}").body["status"])

    def memory_mib(self) -> int:
        """What no file backs: its share of libraries depends on who else has them loaded at this moment."""
        lines = Path(f"/proc/{self.live.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) // 1024


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    rig = Cloud(tmp_path_factory.mktemp("cloud"))
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


def test_two_hundred_stalled_uploads_and_unread_downloads_harm_nobody(cloud: Cloud) -> None:
    large = cloud.image()
    path = f"/image/v2/images/{large}/file"
    assert cloud.get(path, cloud.token(), OCTETS, method="PUT", body=b"x" * 30_000_000)[0] == 204
    ids = [cloud.image() for _ in range(SLOW_CLIENTS)]
    with contextlib.ExitStack() as stack:
        for id in ids:
            connection = stack.enter_context(cloud.connect())
            lines = [
                f"PUT /image/v2/images/{id}/file HTTP/1.1",
                "Host: x",
                cloud.token(),
                OCTETS,
                "Content-Length: 99999",
            ]
            connection.sendall("\r\n".join([*lines, "", "start"]).encode())
        for _ in range(SLOW_CLIENTS):
            connection = stack.enter_context(cloud.connect())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{cloud.token()}\r\n\r\n".encode())
        wait_until(lambda: cloud.status_of(ids[-1]) == "saving")
        for _ in range(20):
            small = f"/image/v2/images/{cloud.image()}/file"
            assert cloud.get(small, cloud.token(), OCTETS, method="PUT", body=b"small")[0] == 204
            assert cloud.get(small, cloud.token()) == (200, b"small")
        assert cloud.memory_mib() < LARGEST_MIB + STALLED_MIB
    wait_until(lambda: all(cloud.status_of(id) == "queued" for id in ids))


def test_an_idle_live_is_small(cloud: Cloud) -> None:
    assert cloud.memory_mib() < LARGEST_MIB


def test_a_killed_live_leaves_no_half_image(cloud: Cloud) -> None:
    id = cloud.image()
    with cloud.connect() as connection:
        lines = [f"PUT /image/v2/images/{id}/file HTTP/1.1", "Host: x", cloud.token(), OCTETS, "Content-Length: 99999"]
        connection.sendall("\r\n".join([*lines, "", "start"]).encode())
        wait_until(lambda: cloud.status_of(id) == "saving")
        argv = list(map(str, cloud.live.args))  # type: ignore[arg-type]
        os.killpg(cloud.live.pid, signal.SIGKILL)
        cloud.live.wait(10)
        cloud.live = cloud.spawn_live(argv)
        wait_until(lambda: cloud.get(f"/image/v2/images/{id}/file", cloud.token())[0] == 204)
    assert cloud.images.delete(f"/images/{id}").status == 204


def test_live_ends_when_told_to(cloud: Cloud) -> None:
    argv = list(map(str, cloud.live.args))  # type: ignore[arg-type]
    cloud.live.send_signal(signal.SIGTERM)
    assert cloud.live.wait(20) == 0
    cloud.live = cloud.spawn_live(argv)
    wait_until(lambda: cloud.get("/console/none")[0] == 404)
    with cloud.connect() as connection:
        assert talk(connection, "/image/v2/images/none/file", cloud.token())[0] == 404
