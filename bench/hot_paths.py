"""What a request on the hot paths costs the API process, as ratios to its goal and to the ceiling of the same server.

    .venv/bin/python bench/hot_paths.py [--engine postgresql] [--requests N] [--clients N] [--flame FOLDER] [NAME ...]

The ceiling is what the same bytes cost when the same kind of server gives them from memory: the price of HTTP, of
threads and sockets, below which no handler comes. All of a run is measured on one machine in one go, by turns.
`--flame` keeps a flame picture for each path (needs py-spy on the PATH).
"""

import argparse
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from pilvi.ops.scratch_postgres import scratch_postgres  # noqa: E402
from tests.e2e.site import Site, until  # noqa: E402

FAKE = ("compute.hypervisor=fake", "network.driver=fake")
SCHEDULED = 2
"""In the number of another process's clock: the time that it ran, as the scheduler knows it."""
GOALS_MS = {
    "token validate": 0.12,
    "token from a token": 0.2,
    "24 projects": 0.3,
    "21 images": 0.4,
    "flavors": 0.2,
    "candidates of 1,000 providers": 3.0,
    "candidates of 10,000 providers": 6.0,
}


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    method: str
    url: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    share: int = 1
    """A dear request is made so many times less often."""


class Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


Connect = Callable[[], http.client.HTTPConnection]


def ask(connection: http.client.HTTPConnection, path: Route) -> tuple[int, bytes, Any]:
    connection.request(path.method, path.url, path.body, dict(path.headers))
    answer = connection.getresponse()
    return answer.status, answer.read(), answer


def cpu_s(pid: int) -> float:
    """Of the process and its children, to the nanosecond: the ticks of /proc are too coarse."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in children_of(task)]
    return sum(time.clock_gettime(~each << 3 | SCHEDULED) for each in (pid, *children))


def children_of(task: Path) -> list[str]:
    return (task / "children").read_text().split()


def cost_ms(connect: Connect, pid: int, path: Route, requests: int, clients: int) -> float:
    """Server CPU per request with a few clients at once."""
    each = max(1, requests // path.share // clients)

    def client() -> None:
        connection = connect()
        for _ in range(each):
            status, body, _ = ask(connection, path)
            assert status < 300, (path.name, status, body[:200])

    before = cpu_s(pid)
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (cpu_s(pid) - before) * 1000 / (each * clients)


@contextmanager
def ceiling(folder: Path, body: bytes) -> Iterator[tuple[Connect, int]]:
    """The same server with the same settings, and an application that only gives these bytes."""
    (folder / "body").write_bytes(body)
    path = folder / "ceiling.sock"
    process = subprocess.Popen([sys.executable, __file__, "--serve", str(folder)], stdin=subprocess.DEVNULL)
    try:
        until(path.exists, "the ceiling's socket", limit_s=30, every_s=0.1)
        yield lambda: Unix(str(path)), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        path.unlink(missing_ok=True)


def serve(folder: Path) -> None:
    """Runs in a process of its own: what `pilvi api` is without Pilvi."""
    from pilvi.kernel import listen
    from pilvi.kernel.http_server import Server

    application = from_memory((folder / "body").read_bytes())
    Server(listen.bound(folder / "ceiling.sock"), application).serve()


def from_memory(body: bytes) -> Callable[..., list[bytes]]:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        environ["wsgi.input"].read()
        start_response("200 OK", headers)
        return [body]

    return application


class Cloud:
    """A cloud with what the paths look at."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.connect: Connect = lambda: Unix(str(site.state / "run" / "api.sock"))
        self.connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=120)
        password = (site.state / "secrets" / "admin_password").read_text().strip()
        user = {"name": "admin", "domain": {"id": "default"}, "password": password}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        body = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}
        self.token = self.post("/identity/v3/auth/tokens", {"auth": body}).getheader("X-Subject-Token")
        again = {"identity": {"methods": ["token"], "token": {"id": self.token}}, "scope": scope}
        self.exchange = json.dumps({"auth": again}).encode()

    def headers(self, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return (("X-Auth-Token", self.token), *more) if getattr(self, "token", "") else more

    def post(self, url: str, body: Any, method: str = "POST", version: str = "placement 1.39") -> Any:
        more = self.headers(("Content-Type", "application/json"), ("OpenStack-API-Version", version))
        path = Route(url, method, url, json.dumps(body).encode(), more)
        status, content, answer = ask(self.connection, path)
        assert status < 300, (url, status, content[:300])
        return answer

    def furnish(self) -> None:
        for i in range(20):
            self.post("/identity/v3/projects", {"project": {"name": f"bench-{i}", "domain_id": "default"}})
        for i in range(21):
            self.post("/image/v2/images", {"name": f"bench-{i}", "disk_format": "raw", "container_format": "bare"})

    def providers(self, first: int, last: int) -> None:
        self.connection.close()  # It was idle too long; the next request opens it again.
        for i in range(first, last):
            uuid = f"{i:08x}-0000-4000-8000-00000000beef"
            self.post("/placement/resource_providers", {"name": f"bench-{i}", "uuid": uuid})
            total = {"VCPU": {"total": 32}, "MEMORY_MB": {"total": 65536}, "DISK_GB": {"total": 2000}}
            body = {"resource_provider_generation": 0, "inventories": total}
            self.post(f"/placement/resource_providers/{uuid}/inventories", body, "PUT")

    def paths(self) -> list[Route]:
        json_type = ("Content-Type", "application/json")
        subject, mine = ("X-Subject-Token", self.token), self.headers()
        return [
            Route("token validate", "GET", "/identity/v3/auth/tokens", None, (*mine, subject)),
            Route("token from a token", "POST", "/identity/v3/auth/tokens", self.exchange, (json_type,)),
            Route("24 projects", "GET", "/identity/v3/projects", None, mine),
            Route("21 images", "GET", "/image/v2/images?limit=21", None, mine),
            Route("flavors", "GET", "/compute/v2.1/flavors/detail", None, mine),
        ]

    def candidates(self, name: str) -> Route:
        url = "/placement/allocation_candidates?resources=VCPU:1,MEMORY_MB:1024,DISK_GB:10&limit=100"
        return Route(name, "GET", url, None, self.headers(("OpenStack-API-Version", "placement 1.36")), share=20)


def flame(cloud: Cloud, pid: int, path: Route, folder: Path) -> None:
    picture = folder / f"flame-{path.name.replace(' ', '-').replace(',', '')}.svg"
    program = shutil.which("py-spy") or "py-spy"
    argv = [program, "record", "-p", str(pid), "-d", "5", "-r", "400", "-f", "flamegraph", "-o", str(picture)]
    recorder = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while recorder.poll() is None:
        cost_ms(cloud.connect, pid, path, 400, 8)
    # Its title is the command, with the paths of the machine that it ran on.
    picture.write_text(re.sub(r'(<text id="title"[^>]*>)[^<]*', rf"\g<1>{path.name}", picture.read_text()))


def measure(cloud: Cloud, path: Route, arguments: argparse.Namespace) -> str:
    pid = cloud.site.pids()["api"]
    status, body, _ = ask(cloud.connect(), path)
    assert status < 300, (path.name, status, body[:300])
    with tempfile.TemporaryDirectory() as folder, ceiling(Path(folder), body) as (memory, memory_pid):
        clients = arguments.clients
        cost_ms(cloud.connect, pid, path, arguments.requests // 4, clients)
        cost_ms(memory, memory_pid, path, arguments.requests // 4, clients)
        ours, least = [], []
        for _ in range(3):  # By turns, so that what else the machine does falls on both.
            ours.append(cost_ms(cloud.connect, pid, path, arguments.requests, clients))
            least.append(cost_ms(memory, memory_pid, path, arguments.requests, clients))
    if arguments.flame:
        flame(cloud, pid, path, Path(arguments.flame))
    cost, floor, goal = sorted(ours)[1], sorted(least)[1], GOALS_MS[path.name]
    return (
        f"| {path.name} | {len(body)} | {cost:.3f} | {goal:g} | {cost / goal:.2f} | {floor:.3f} | {cost / floor:.1f} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--clients", type=int, default=8, help="at once; one shows the work without the crowd")
    parser.add_argument("--flame")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(Path(arguments.serve))
        return 0
    with tempfile.TemporaryDirectory(prefix="pilvi-bench-") as folder, ExitStack() as stack:
        settings = list(FAKE)
        if arguments.engine == "postgresql":
            settings.append(f"database.url={stack.enter_context(scratch_postgres())}")
        site = Site(Path(folder) / "s", settings=settings)
        words = [word for setting in site.settings for word in ("--set", setting)]
        try:
            site.pilvi("up", "--listen", f"127.0.0.1:{site.port}", "--no-image", *words)
            run(Cloud(site), arguments)
        finally:
            site.pilvi("down", "--purge", check=False)
    return 0


def run(cloud: Cloud, arguments: argparse.Namespace) -> None:
    print(f"| {arguments.engine} | bytes | API CPU ms | goal | ratio | ceiling ms | times the ceiling |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    wanted = set(arguments.names)
    cloud.furnish()
    for path in cloud.paths():
        if not wanted or path.name in wanted:
            print(measure(cloud, path, arguments), flush=True)
    made = 0
    for count, name in ((1000, "candidates of 1,000 providers"), (10_000, "candidates of 10,000 providers")):
        if not wanted or name in wanted:
            cloud.providers(made, count)
            made = count
            print(measure(cloud, cloud.candidates(name), arguments), flush=True)


if __name__ == "__main__":
    sys.exit(main())
