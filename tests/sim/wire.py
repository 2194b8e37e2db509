"""The network of the simulated cloud: messages are late, lost, doubled, overtaken; lines are cut, also one way only."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson

from tests.sim.scheduler import Event, Process, Scheduler

Wsgi = Callable[..., Any]


class Lost(OSError):
    """No answer came. Whether the request was carried out nobody knows."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.content) if self.content else None


@dataclass
class Wire:
    """Between parties with names: `client`, `api-1`, `host-1`, `database`, `live`."""

    scheduler: Scheduler
    app: Wsgi
    apis: list[Process] = field(default_factory=list)
    live: Process | None = None
    cut: set[tuple[str, str]] = field(default_factory=set)
    """From → to: nothing passes."""
    loss: float = 0.0
    slow: float = 0.0
    double: float = 0.0

    def passes(self, source: str, target: str) -> bool:
        return (source, target) not in self.cut and self.scheduler.rng.random() >= self.loss

    def _delay_s(self) -> float:
        rng = self.scheduler.rng
        if rng.random() < self.slow:
            return rng.expovariate(1 / 5.0)
        return rng.expovariate(1 / 0.002)

    def request(
        self, source: str, method: str, url: str, data: bytes, headers: Mapping[str, str], timeout_s: float = 30.0
    ) -> Reply:
        """One HTTP exchange with whichever API process the front picks. Raises Lost."""
        self.scheduler.point("send", f"{method} {url}", slow=False)
        return self._exchange(
            source, self._pick(), f"{method} {url}", lambda: call(self.app, method, url, data, headers), timeout_s
        )

    def stream(self, source: str, what: str, handle: Callable[[], Reply], timeout_s: float = 60.0) -> Reply:
        """One HTTP exchange with `live`. Raises Lost."""
        self.scheduler.point("send", what, slow=False)
        return self._exchange(source, self.live, what, handle, timeout_s)

    def _exchange(
        self, source: str, process: Process | None, what: str, handle: Callable[[], Reply], timeout_s: float
    ) -> Reply:
        world = self.scheduler
        if process is None or not process.alive:
            world.sleep(0.05)
            raise Lost("connection refused")
        came = Event(world)
        box: list[Reply] = []

        def answer(reply: Reply) -> None:
            world.say("answer", str(reply.status))
            if self.passes(process.name, source):
                world.later(self._delay_s(), lambda: (box.append(reply), came.set()))

        def deliver() -> None:
            if process.alive and self.passes(source, process.name):
                world.spawn(what, lambda: answer(handle()), process)

        process.on_death.append(came.set)
        world.later(self._delay_s(), deliver)
        if source != "client" and process is not self.live and world.rng.random() < self.double:
            world.later(world.rng.expovariate(1 / 10.0), deliver)
        came.wait(timeout_s)
        process.on_death.remove(came.set)
        if not box:
            raise Lost("connection reset" if not process.alive else "timed out")
        return box[0]

    def _pick(self) -> Process | None:
        up = [one for one in self.apis if one.alive]
        return self.scheduler.rng.choice(up) if up else None

    def tell(self, source: str, target: str, deliver: Callable[[], None]) -> None:
        """A datagram."""
        if self.passes(source, target):
            self.scheduler.later(self._delay_s(), deliver)


def call(app: Wsgi, method: str, url: str, data: bytes, headers: Mapping[str, str]) -> Reply:
    """What the front would hand to a worker."""
    path, _, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": unquote(path), "QUERY_STRING": query, "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "SCRIPT_NAME": "",
        "wsgi.input": io.BytesIO(data), "wsgi.errors": io.StringIO(), "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False, "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip
    if data:
        environ |= {"CONTENT_LENGTH": str(len(data)), "CONTENT_TYPE": "application/json"}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    answer: dict[str, Any] = {}

    def start(status: str, found: list[tuple[str, str]], *_: Any) -> None:
        answer["status"], answer["headers"] = int(status.split()[0]), dict(found)

    content = b"".join(app(environ, start))
    return Reply(answer["status"], answer["headers"], content)
