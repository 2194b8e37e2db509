"""A real haproxy between test clients and stand-ins for api and live. The stand-ins answer with what they saw."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pilvi.kernel.config import Config, Secret, parse
from pilvi.ops import certificates, front
from pilvi.ops.files import make_directory

SECRET = "front-secret-of-the-test"
API_THREADS = 4
NO_CERTIFICATE = Path("none")

# As api: synchronous threads, few of them. It holds a thread while it reads a body.
API = """
import json, socket, sys

def application(environ, start_response):
    body = environ["wsgi.input"].read()
    seen = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
    path = environ["PATH_INFO"]
    answer = {"by": "api", "path": path, "headers": seen, "received": len(body)}
    content = b"x" * 2_000_000 if path == "/large" else json.dumps(answer).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [content]

if __name__ == "__main__":
    from pilvi.kernel.http_server import Server

    Server(socket.socket(fileno=int(sys.argv[1])), application, threads=int(sys.argv[2])).serve()
"""

LIVE = """
import asyncio, json, sys
from aiohttp import web, WSMsgType

async def handle(request):
    if request.headers.get("upgrade", "").lower() == "websocket":
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str("echo " + message.data)
        return socket
    if request.method == "GET" and request.path.endswith("/file"):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(256):
            await response.write(b"x" * 1048576)
        return response
    received = 0
    async for chunk in request.content.iter_any():
        received += len(chunk)
    headers = {k.lower(): v for k, v in request.headers.items()}
    return web.json_response({"by": "live", "path": request.path, "headers": headers, "received": received})

app = web.Application()
app.router.add_route("*", "/{tail:.*}", handle)
web.run_app(app, path=sys.argv[1], print=None, access_log=None)
"""


class Front:
    def __init__(self, root: Path, **front_settings: Any) -> None:
        self.port, self.agents_port = free_port(), free_port()
        settings = {"listen": f"127.0.0.1:{self.port}", "agents_listen": f"127.0.0.1:{self.agents_port}"}
        document = {
            "cloud": {"state_dir": str(root)},
            "front": settings | front_settings,
            "api": {"threads": API_THREADS, "body_limit_kib": 1024},
        }
        self.config: Config = parse(document)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.root = root
        make_directory(self.config.paths.run)
        certificates.ensure_ca(self.config.paths)
        certificates.ensure_front(self.config.paths, ["127.0.0.1", "localhost"])
        certificates.ensure_host(self.config.paths, "host-a")

    def start(self) -> None:
        paths = self.config.paths
        (self.root / "api_app.py").write_text(API)
        (self.root / "live_app.py").write_text(LIVE)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(paths.api_socket))
        self.listener.listen(1024)
        self.api = self.spawn_api()
        self.spawn([sys.executable, str(self.root / "live_app.py"), str(paths.live_socket)])
        self.write()
        self.haproxy = self.spawn(front.command(self.config))
        wait_until(paths.api_socket.exists)
        wait_until(paths.live_socket.exists)
        wait_until(lambda: self.get("/")[0] == 200)

    def spawn_api(self) -> "subprocess.Popen[bytes]":
        """As the supervisor does: the socket is ours, the process inherits it."""
        argv = [sys.executable, str(self.root / "api_app.py"), str(self.listener.fileno()), str(API_THREADS)]
        return self.spawn(argv, pass_fds=(self.listener.fileno(),))

    def write(self) -> None:
        (self.config.paths.run / "haproxy.cfg").write_text(front.render(self.config, Secret(SECRET), None))

    def spawn(
        self, argv: list[str], pass_fds: tuple[int, ...] = (), env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            argv, cwd=self.root, stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=pass_fds, env=env
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(AttributeError):
            self.listener.close()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)

    def connect(self, timeout_s: float = 10.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout_s)

    def connect_agent(self, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLSocket:
        """With the host's own certificate unless another one is given."""
        paths = self.config.paths
        context = ssl.create_default_context(cafile=str(paths.ca_certificate))
        if certificate != NO_CERTIFICATE:
            context.load_cert_chain(certificate or paths.host_certificate("host-a"), key or paths.host_key("host-a"))
        plain = socket.create_connection(("127.0.0.1", self.agents_port), 10)
        return context.wrap_socket(plain, server_hostname="localhost")

    def ask_as_agent(self, certificate: Path, key: Path | None = None) -> tuple[int, Any]:
        """TLS 1.3 refuses a client's certificate only with the first answer: nothing, here."""
        with self.connect_agent(certificate, key) as connection:
            status, answer = talk(connection, "/agent/v1/state")
        if status == 0:
            raise ConnectionResetError("The front closed without an answer.")
        return status, answer

    def get(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> tuple[int, Any]:
        try:
            with self.connect() as connection:
                return talk(connection, path, *headers, method=method, body=body)
        except OSError:
            return 0, None


def talk(
    connection: socket.socket, path: str, *headers: str, method: str = "GET", body: bytes = b""
) -> tuple[int, Any]:
    """One request, written by hand so that any header can be sent; the answer's status and JSON."""
    lines = [f"{method} {path} HTTP/1.1", "Host: cloud.example", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return read_answer(connection)


def read_answer(connection: socket.socket) -> tuple[int, Any]:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    head, _, content = received.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head else 0
    if b"transfer-encoding: chunked" in head.lower():
        content = dechunk(content)
    with contextlib.suppress(ValueError):
        return status, json.loads(content)
    return status, content


def dechunk(content: bytes) -> bytes:
    result = b""
    while content:
        size, _, content = content.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            break
        result, content = result + content[:length], content[length + 2 :]
    return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Any, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.05)


@contextlib.contextmanager
def running(root: Path, **front_settings: Any) -> Iterator[Front]:
    rig = Front(root, **front_settings)
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()
