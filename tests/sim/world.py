"""The whole cloud in one thread: API processes with their loops, hosts with their agents, one database, one wire."""

import random
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
from argon2 import PasswordHasher

from pilvi import main
from pilvi.compute.hosts import service as compute_hosts
from pilvi.identity import passwords
from pilvi.image.drivers import sandbox
from pilvi.image.imports import service as image_imports
from pilvi.image.inspector import inspector
from pilvi.image.stores.model import stores_of
from pilvi.kernel import clock, hosts, ids, work
from pilvi.kernel.errors import Fault
from pilvi.kernel.loop import LEASE_S, Loop, Runner
from pilvi.kernel.refusals import Refusals
from pilvi.kernel.routing import Route
from tests.sim import invariants
from tests.sim.database import SimDatabase
from tests.sim.ground import ground
from tests.sim.host import Host
from tests.sim.live import Disk, Live, Upload
from tests.sim.scheduler import Clock, Event, Process, Scheduler
from tests.sim.wire import Reply, Wire


@dataclass(frozen=True)
class Violation:
    invariant: str
    text: str
    at_s: float
    step: int

    def __str__(self) -> str:
        return f"[{self.at_s:10.3f} s, step {self.step}] {self.invariant}: {self.text}"


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
        self.ground.edge.observe, self.ground.edge.refusals = self._observe, Refusals()
        self.called: Counter[str] = Counter()
        """Routes that answered with success, and how often."""
        self.wire = Wire(self.scheduler, self.ground.app)
        self.apis: dict[str, Api] = {}
        self.stores = stores_of(self.ground.config)
        self.disk = Disk(self.scheduler)
        self.live: Live | None = None
        self.a_clock_was_wrong = False
        self.live_line = ""
        """What is wrong with the way of `live` to the database."""
        self.hosts = {
            name: Host(name, self.scheduler, self.wire, self.folder / name, self.violate, self)
            for name in (f"host-{n + 1}" for n in range(self.host_count))
        }
        self._swapped = ExitStack()
        self._swap()
        self._wakes = self._poked, self._told, self._import_begins
        work.wake.append(self._wakes[0])
        hosts.wake.append(self._wakes[1])
        image_imports.started.append(self._wakes[2])
        self._swapped.enter_context(mock.patch.object(compute_hosts, "console_reader", [lambda *_: "login:"]))
        self.memory = invariants.Memory()
        self._running: dict[tuple[str, str], tuple[Process, float]] = {}

    def _swap(self) -> None:
        """What is slow on purpose is quick here; what would be another process or thread is a task."""
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        swaps = [
            (passwords, "_hasher", quick), (passwords, "_nobodys_hash", cache(lambda: quick.hash("nobody's"))),
            (sandbox.shared, "locate", inspector.locate), (sandbox.shared, "judge", inspector.judge),
        ]  # fmt: skip
        for target, name, value in [*swaps, *self.disk.swaps()]:
            self._swapped.enter_context(mock.patch.object(target, name, value))

    def start(self) -> None:
        """Everything runs; faults may begin."""
        self.database.line = self._line
        self.database.scheduler = self.scheduler
        self.database.committed = self._committed
        for number in range(self.api_count):
            self.start_api(f"api-{number + 1}")
        self.start_live()
        for host in self.hosts.values():
            host.hypervisor.changed = self._host_changed
            host.start()

    def close(self) -> None:
        self.scheduler.close()
        work.wake.remove(self._wakes[0])
        hosts.wake.remove(self._wakes[1])
        image_imports.started.remove(self._wakes[2])
        self._swapped.close()
        clock.use(self._formers[0])
        ids.use(self._formers[1])
        self.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- processes -------------------------------------------------------------------------------------------------

    def start_api(self, name: str) -> None:
        former = self.apis.get(name)
        process = self._process(name, former.process if former else None)
        self.apis[name] = Api(name, process, self._runner(main.loops_of(self.ground.config)))
        self.wire.apis = [api.process for api in self.apis.values()]
        self.scheduler.spawn(f"{name} work", self.apis[name].runner._run, process)

    def start_live(self) -> None:
        """Its loops begin once it has taken over what its former run held."""
        process = self._process("live", self.live.process if self.live else None)
        self.live = live = Live(self.scheduler, self.ground.config, self.database, process, self.called)
        self.live_runner = self._runner(live.loops())
        self.wire.live = process

        def run(runner: Runner = self.live_runner) -> None:
            while True:
                try:
                    live.take_over()
                    break
                except Fault:  # The real process ends and is started again.
                    self.scheduler.sleep(1.0)
            runner._run()

        self.scheduler.spawn("live work", run, process)

    @property
    def clocks_were_wrong(self) -> bool:
        """Of any process that answers people."""
        found = [api.process for api in self.apis.values()] + ([self.live.process] if self.live else [])
        return self.a_clock_was_wrong or any(process.clock_was_wrong for process in found)

    def _process(self, name: str, former: Process | None) -> Process:
        process = Process(name, clock_offset_s=former.clock_offset_s if former else 0.0)
        process.clock_was_wrong = process.clock_offset_s != 0.0
        self.a_clock_was_wrong |= former is not None and former.clock_was_wrong
        return process

    def _runner(self, loops: list[Loop]) -> Runner:
        runner = Runner(self.database, [self._watched(loop) for loop in loops])
        runner._poked, runner._stop = Event(self.scheduler), Event(self.scheduler)
        return runner

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
        if process.name == "live":
            return self.live_line
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
        if host is None or self.live is None or not self.live.process.alive:
            return
        if process is None or self.wire.passes(process.name, "live"):
            self.wire.tell("live", name, host.look)

    def _import_begins(self) -> None:
        process = self.scheduler.process
        if process is None or self.wire.passes(process.name, "live"):
            self.live_runner._poked.set()

    # -- requests --------------------------------------------------------------------------------------------------

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A client's request, with everything that may happen to it. `who` is a known person, or a token, or nobody.
        Raises Lost."""
        token = self.ground.tokens.get(who, who)
        sent = {k.replace("_", "-"): v for k, v in headers.items()} | ({"X-Auth-Token": token} if token else {})
        data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        reply = self.wire.request("client", method, path, data, sent, timeout_s=60.0)
        if reply.status == 500:
            self.violate("no answer is 500", f"{method} {path}: {self._last_error()}")
        return reply

    def _observe(self, route: Route | None, _method: str, status: int, _seconds: float) -> None:
        if route is not None and status < 400:
            self.called[self.ground.routes[id(route)]] += 1

    def upload(self, who: str, what: Upload) -> Reply:
        """Bytes go in. Raises Lost."""
        token, live = self.ground.tokens.get(who, who), self.live
        assert live is not None
        return self.wire.stream("client", f"PUT {what.kind} {what.image_id}", lambda: live.upload(token, what))

    def download(self, who: str, image_id: str) -> Reply:
        token, live = self.ground.tokens.get(who, who), self.live
        assert live is not None
        return self.wire.stream("client", f"GET file {image_id}", lambda: live.download(token, image_id))

    def image_for_host(self, host: str, image_id: str) -> Reply:
        assert self.live is not None
        return self.live.download_for_host(host, image_id)

    def image_from_host(self, host: str, image_id: str, content: bytes) -> Reply:
        assert self.live is not None
        return self.live.upload_of_host(host, image_id, content)

    def _last_error(self) -> str:
        lines = (self.ground.folder / "log" / "sim.log").read_text().splitlines()
        return str(orjson.loads(lines[-1]).get("exception"))[-1500:] if lines else "no log"

    # -- findings --------------------------------------------------------------------------------------------------

    def violate(self, invariant: str, text: str) -> None:
        self.scheduler.say("VIOLATION", f"{invariant}: {text}")
        self.violations.append(Violation(invariant, text, self.scheduler.now, self.scheduler.steps))

    def _committed(self, tables: set[str]) -> None:
        if "image_images" in tables:
            for text in invariants.images_are_there(self):
                self.violate("images are there", text)
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
