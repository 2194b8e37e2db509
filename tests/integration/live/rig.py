"""A real `live` server on unix sockets, beside the JSON APIs in process, on SQLite."""

import asyncio
import contextlib
import http.client
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from pilvi.agent.link import Link
from pilvi.identity import facade as identity
from pilvi.identity import routes as identity_routes
from pilvi.image import routes as image_routes
from pilvi.image.drivers.file import FileStore
from pilvi.image.stores.model import stores_of
from pilvi.kernel.config import CloudConfig, Config, ImageConfig, Secret
from pilvi.kernel.db import connect
from pilvi.kernel.http import Edge
from pilvi.live.client import LiveClient
from pilvi.live.server import LiveServer
from tests.contract.client import Client
from tests.contract.conftest import furnish, settle
from tests.contract.operations import cover_stream

SECRET = "front-secret-of-the-test"
FRONT = {"X-Pilvi-Front": SECRET, "X-Forwarded-Host": "cloud.example", "X-Forwarded-Proto": "http"}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float = 30.0) -> None:
        super().__init__("cloud.example", timeout=timeout_s)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Rig:
    def __init__(self, root: Path, image: ImageConfig) -> None:
        self.config = Config(cloud=CloudConfig(state_dir=root), image=image)
        self.second = image.second_store or root
        self.paths = self.config.paths
        self.paths.run.mkdir(parents=True)
        furnish_path = root / "cloud.db"
        self.database = connect(str(furnish_path))
        furnish(self.database)
        services = [identity_routes.service(self.config), *image_routes.services_of(self.config)]
        edge = Edge(self.database, services, identity.authenticate, public_url=self.config.cloud.public_url)
        self.images: Client = settle(Client(edge.application(), {}, database=self.database)).at("/image/v2").as_member()
        self.client = LiveClient(self.paths.live_socket, self.paths.live_wake_socket, Secret(SECRET))
        self.store = FileStore(stores_of(self.config).default.directory)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def start(self) -> None:
        self.thread.start()
        own = connect(str(self.paths.database))  # As the real process: a connection of its own.
        self.server = LiveServer(self.config, own, identity.authenticate, Secret(SECRET))
        self.run(self.server.start())

    def stop(self) -> None:
        self.run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
        self.client.close()
        self.database.close()

    def run(self, coroutine: Any, timeout_s: float = 60.0) -> Any:
        """In the server's own loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout_s)

    # -- requests --------------------------------------------------------------------------------------------------

    def ask(
        self, method: str, path: str, body: Any = None, who: str | None = "member", **headers: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request straight to `live`, as the front would pass it on."""
        sent = FRONT | {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["X-Auth-Token"] = self.images.tokens[who]
        connection = UnixConnection(self.paths.live_socket)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            cover_stream(method, path, answer.status)
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def upload(self, id: str, body: Any, what: str = "file", **more: Any) -> tuple[int, bytes]:
        more.setdefault("Content_Type", "application/octet-stream")
        status, _, content = self.ask("PUT", f"/image/v2/images/{id}/{what}", body, **more)
        return status, content

    def download(self, id: str, **more: Any) -> tuple[int, Mapping[str, str], bytes]:
        return self.ask("GET", f"/image/v2/images/{id}/file", **more)

    def image(self, **given: Any) -> str:
        body = {"disk_format": "raw", "container_format": "bare", **given}
        return str(self.images.post("/images", body).body["id"])

    def status_of(self, id: str) -> str:
        return str(self.images.get(f"/images/{id}").body["status"])

    def begin_upload(self, id: str, head: str, start: bytes) -> socket.socket:
        """A connection that has sent a part of an upload."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(str(self.paths.live_socket))
        token = self.images.tokens["member"]
        lines = [
            f"PUT /image/v2/images/{id}/file HTTP/1.1", "Host: cloud.example", f"X-Auth-Token: {token}",
            "Content-Type: application/octet-stream", head, "", "",
        ]  # fmt: skip
        connection.sendall("\r\n".join(lines).encode() + start)
        return connection


class UnixLink(Link):
    """An agent's line that reaches `live` without the front between them, as host `node`."""

    host = "node"

    def url(self) -> str:
        return "http://live"

    def connector(self) -> aiohttp.BaseConnector:
        return aiohttp.UnixConnector(str(self._config.paths.live_socket))

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=self.connector(), headers={**FRONT, "X-Pilvi-Host": self.host})


@contextlib.contextmanager
def running(*, import_from: str = "", several_stores: bool = False) -> Iterator[Rig]:
    # Not pytest's own directory: a unix socket's path may have 107 characters only.
    with tempfile.TemporaryDirectory(prefix="pilvi-live-") as root:
        second = Path(root) / "second" if several_stores else None
        rig = Rig(Path(root), ImageConfig(import_from=import_from, second_store=second, show_locations=several_stores))
        rig.start()
        try:
            yield rig
        finally:
            rig.stop()
