"""The whole cloud in one thread: API processes with their loops, hosts with their agents, one database, one wire."""

import atexit
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from pilvi import main
from pilvi.identity import facade as identity
from pilvi.identity.epochs import service as epochs
from pilvi.kernel import clock, hosts, ids, log, work
from pilvi.kernel.config import CloudConfig, Config, IdentityConfig, Secret
from pilvi.kernel.db import connect
from pilvi.kernel.errors import Fault
from pilvi.kernel.http import Edge
from pilvi.kernel.loop import LEASE_S, Loop, Runner
from pilvi.kernel.migrate import migrate
from tests.sim import invariants
from tests.sim.database import SimDatabase
from tests.sim.host import SECRET, Host
from tests.sim.scheduler import EPOCH_S, Clock, Event, Process, Scheduler
from tests.sim.wire import Reply, Wire, call

TENANTS = ("red", "green", "blue")
PASSWORD = "secret-of-admin"
SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Violation:
    invariant: str
    text: str
    at_s: float
    step: int

    def __str__(self) -> str:
        return f"[{self.at_s:10.3f} s, step {self.step}] {self.invariant}: {self.text}"


class StillClock:
    def now(self) -> float:
        return EPOCH_S

    def monotonic(self) -> float:
        return 1000.0


@dataclass(frozen=True)
class Ground:
    """What every world begins with: made once per Python process, for passwords are slow on purpose."""

    folder: Path
    config: Config
    image: bytes
    tokens: dict[str, str]
    projects: dict[str, str]
    edge: Edge
    app: Callable[..., Any]


@cache
def ground() -> Ground:
    folder = Path(tempfile.mkdtemp(prefix="pilvi-sim-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = Config(
        cloud=CloudConfig(state_dir=folder / "cloud"), identity=IdentityConfig(token_lifetime_s=10 * 365 * 86400)
    )
    log.configure("sim", folder / "log", level="error")
    formers = clock.use(StillClock()), ids.use(random.Random(0).randbytes)
    try:
        path = str(folder / "ground.db")
        database = connect(path)
        migrate(database, list(main.SCHEMA))
        hashed = identity.hash_password(PASSWORD)
        database.write(
            lambda tx: identity.bootstrap(
                tx, admin_password_hash=hashed, region="RegionOne", public_url="http://127.0.0.1:8780"
            )
        )
        edge = main.edge_of(config, database, Secret(SECRET))
        app = edge.application()
        tokens, projects = _accounts(app)
        database.close()
        return Ground(folder, config, SimDatabase.image_of(path), tokens, projects, edge, app)
    finally:
        clock.use(formers[0])
        ids.use(formers[1])


def _accounts(app: Callable[..., Any]) -> tuple[dict[str, str], dict[str, str]]:
    def ask(method: str, path: str, body: Any, token: str = "") -> Reply:
        headers = {"X-Auth-Token": token} if token else {}
        reply = call(app, method, f"/identity/v3{path}", orjson.dumps(body) if body else b"", headers)
        assert reply.status < 300, (path, reply.content)
        return reply

    def login(user: str, password: str, project: str) -> str:
        who = {"name": user, "domain": {"id": "default"}, "password": password}
        scope = {"project": {"name": project, "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": scope}}
        headers = {k.lower(): v for k, v in ask("POST", "/auth/tokens", body).headers.items()}
        return str(headers["x-subject-token"])

    tokens = {"admin": login("admin", PASSWORD, "admin")}
    admin = tokens["admin"]
    roles = {role["name"]: role["id"] for role in ask("GET", "/roles", None, admin).body["roles"]}
    projects = {}
    for name in TENANTS:
        project = ask("POST", "/projects", {"project": {"name": name, "domain_id": "default"}}, admin).body["project"]
        user = {"name": name, "domain_id": "default", "password": f"secret-of-{name}"}
        user_id = ask("POST", "/users", {"user": user}, admin).body["user"]["id"]
        ask("PUT", f"/projects/{project['id']}/users/{user_id}/roles/{roles['member']}", None, admin)
        projects[name] = project["id"]
        tokens[name] = login(name, f"secret-of-{name}", name)
    return tokens, projects


@dataclass
class Api:
    """One API process and the loops beside it."""

    name: str
    process: Process
    runner: Runner
    line: str = ""
    """What is wrong with its way to the database."""


@dataclass
class World:
    seed: int
    keep_trace: bool = False
    host_count: int = 3
    api_count: int = 2
    violations: list[Violation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ground = ground()
        self.scheduler = Scheduler(self.seed, keep_trace=self.keep_trace)
        self.rng = self.scheduler.rng
        self.folder = Path(tempfile.mkdtemp(prefix=f"world-{self.seed}-", dir=self.ground.folder))
        shutil.rmtree(self.ground.config.paths.images, ignore_errors=True)
        self._formers = clock.use(Clock(self.scheduler)), ids.use(random.Random(self.seed ^ 0x1D5).randbytes)
        self.database = SimDatabase(self.ground.image)
        self.ground.edge.database = self.database
        epochs._caches.clear()
        self.wire = Wire(self.scheduler, self.ground.app)
        self.apis: dict[str, Api] = {}
        self.hosts = {
            name: Host(name, self.scheduler, self.wire, self.folder / name, self.violate)
            for name in (f"host-{n + 1}" for n in range(self.host_count))
        }
        self._wakes = self._poked, self._told
        work.wake.append(self._wakes[0])
        hosts.wake.append(self._wakes[1])
        self.memory = invariants.Memory()
        self._running: dict[tuple[str, str], tuple[Process, float]] = {}

    def start(self) -> None:
        """Everything runs; faults may begin."""
        self.database.line = self._line
        self.database.scheduler = self.scheduler
        self.database.committed = self._committed
        for number in range(self.api_count):
            self.start_api(f"api-{number + 1}")
        for host in self.hosts.values():
            host.hypervisor.changed = self._host_changed
            host.start()

    def close(self) -> None:
        self.scheduler.close()
        work.wake.remove(self._wakes[0])
        hosts.wake.remove(self._wakes[1])
        clock.use(self._formers[0])
        ids.use(self._formers[1])
        self.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- processes -------------------------------------------------------------------------------------------------

    def start_api(self, name: str) -> None:
        former = self.apis.get(name)
        process = Process(name, clock_offset_s=former.process.clock_offset_s if former else 0.0)
        process.clock_was_wrong = process.clock_offset_s != 0.0
        runner = Runner(self.database, [self._watched(loop) for loop in main.loops_of(self.ground.config)])
        runner._poked, runner._stop = Event(self.scheduler), Event(self.scheduler)
        self.apis[name] = Api(name, process, runner)
        self.wire.apis = [api.process for api in self.apis.values()]
        self.scheduler.spawn(f"{name} work", runner._run, process)

    def _watched(self, loop: Loop) -> Loop:
        """One runner per key, as long as its lease lasts and all clocks agree about that."""

        def reconcile(database: Any, key: str) -> None:
            me, other = self.scheduler.process, self._running.get((loop.kind, key))
            assert me is not None
            if other is not None and other[0] is not me and other[0].alive:
                is_held = self.scheduler.now - other[1] < LEASE_S
                if is_held and not (me.clock_was_wrong or other[0].clock_was_wrong):
                    self.violate("a key has one runner", f"{loop.kind} {key}: {other[0].name} and {me.name}")
            self._running[loop.kind, key] = (me, self.scheduler.now)
            try:
                loop.reconcile(database, key)
            finally:
                self._running.pop((loop.kind, key), None)

        return replace(loop, reconcile=reconcile)

    def _line(self, process: Process | None) -> str:
        if process is None:
            return ""
        if (process.name, "database") in self.wire.cut:
            return "away"
        if ("database", process.name) in self.wire.cut:
            return "deaf"
        api = self.apis.get(process.name)
        return "" if api is None else api.line

    def _poked(self) -> None:
        process = self.scheduler.process
        for api in self.apis.values():
            if process is None or api.process is process:
                api.runner._poked.set()

    def _told(self, name: str) -> None:
        """`live` passes it on, or not."""
        process, host = self.scheduler.process, self.hosts.get(name)
        if host is not None:
            self.wire.tell("live" if process is None else process.name, name, host.look)

    # -- requests --------------------------------------------------------------------------------------------------

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A client's request, with everything that may happen to it. Raises Lost."""
        sent = {"X-Auth-Token": self.ground.tokens[who], **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = b"" if body is None else orjson.dumps(body)
        reply = self.wire.request("client", method, path, data, sent, timeout_s=60.0)
        if reply.status == 500:
            self.violate("no answer is 500", f"{method} {path}: {self._last_error()}")
        return reply

    def upload(self, image_id: str, fill: Callable[[str], None]) -> None:
        """Bytes come in: `live` takes them, and may die over it."""

        def run() -> None:
            try:
                fill(image_id)
            except Fault as fault:
                self.scheduler.say("upload failed", fault.message)

        self.scheduler.spawn(f"upload {image_id[:8]}", run)

    def _last_error(self) -> str:
        lines = (self.ground.folder / "log" / "sim.log").read_text().splitlines()
        return str(orjson.loads(lines[-1]).get("exception"))[-1500:] if lines else "no log"

    # -- findings --------------------------------------------------------------------------------------------------

    def violate(self, invariant: str, text: str) -> None:
        self.scheduler.say("VIOLATION", f"{invariant}: {text}")
        self.violations.append(Violation(invariant, text, self.scheduler.now, self.scheduler.steps))

    def _committed(self, tables: set[str]) -> None:
        if "kernel_work" in tables and not tables & invariants.SUBJECTS:
            for name in ("transitions are watched", "loops do not fail"):
                for text in self.database.look(invariants.SAFETY[name]):
                    self.violate(name, text)
        elif tables & invariants.SUBJECTS:
            for name, check in invariants.SAFETY.items():
                for text in self.database.look(check):
                    self.violate(name, text)
            for name, remembering in invariants.SAFETY_WITH_MEMORY.items():
                for text in self.database.look(lambda tx, look=remembering: look(tx, self.memory)):
                    self.violate(name, text)

    def _host_changed(self) -> None:
        for text in invariants.the_gone_stay_gone(self):
            self.violate("the gone stay gone", text)
        for text in invariants.no_guest_runs_twice(self):
            self.violate("no guest runs twice", text)

    def unsettled(self) -> list[tuple[str, str]]:
        """What is not yet as it must be once nothing disturbs any more."""
        found = []
        for name, check in invariants.LIVENESS.items():
            found += [(name, text) for text in check(self)]
        return found
