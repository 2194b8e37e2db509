"""A host of the simulated cloud: the real agent with the fake drivers, which outlive it as guests outlive a process."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import orjson

from pilvi.agent.control import TAKEN, ControlPlane, Unreachable
from pilvi.agent.process import Agent
from pilvi.compute.drivers.fake import Fake
from pilvi.compute.drivers.image_cache import Image, ImageCache
from pilvi.compute.drivers.protocol import Capabilities, ImageFile, Observed
from pilvi.kernel.config import AgentConfig, CloudConfig, Config
from pilvi.network.drivers.fake import FakeDriver, FakeHost
from pilvi.network.drivers.protocol import HostState, HostStatus
from tests.sim.scheduler import Event, Jobs, Lock, Process, Scheduler
from tests.sim.wire import Lost, Reply, Wire

WORKERS = 2
"""As many as may start guests at once: then nobody waits for a semaphore, which tasks cannot."""
SECRET = "front-secret"


class SimHypervisor(Fake):
    """Every call is two steps, before and after its effect; either may fail, and the agent may die at either."""

    def __init__(self, scheduler: Scheduler, capabilities: Capabilities, directory: Path) -> None:
        super().__init__(capabilities=capabilities, directory=directory, sleep=scheduler.sleep)
        self._scheduler = scheduler
        self.after: dict[str, list[Exception]] = {}
        """Faults that come once the call has taken effect."""
        self.changed: Callable[[], None] = lambda: None

    def guests(self) -> dict[str, Observed]:
        self._scheduler.point("driver guests", slow=False)
        return dict(super().guests())

    @contextmanager
    def _call(self, name: str, guest_id: str) -> Iterator[None]:
        self._scheduler.point(f"driver {name}", guest_id[:8])
        with super()._call(name, guest_id):
            yield
        self.changed()
        self._scheduler.point(f"driver {name} done", guest_id[:8])
        late = self.after.get(name)
        if late:
            raise late.pop(0)


class SimNetworkDriver(FakeDriver):
    def __init__(self, scheduler: Scheduler, host: FakeHost) -> None:
        super().__init__(host)
        self._scheduler = scheduler
        self.delay_s = 0.0

    def reconcile(self, state: HostState, *, may_remove: bool = True) -> HostStatus:
        self._scheduler.point("driver network")
        if self.delay_s:
            self._scheduler.sleep(self.delay_s)
        status = super().reconcile(state, may_remove=may_remove)
        self._scheduler.point("driver network done")
        return status


class Images(Protocol):
    """What `live` answers to a host: the bytes of an image, and whether it takes those of a new one."""

    def image_for_host(self, host: str, image_id: str) -> Reply: ...

    def image_from_host(self, host: str, image_id: str, content: bytes) -> Reply: ...


class _Kept:
    """Stands for a connection that is kept: when it breaks, the agent asks once more."""

    def close(self) -> None:
        return


class SimControl(ControlPlane):
    """The agent's line to the control plane, over the simulated wire."""

    damaged: Callable[[bytes], bytes]

    def __init__(self, config: Config, wire: Wire, images: Images) -> None:
        super().__init__(config)
        self._wire, self._images = wire, images
        self._name = config.agent.host

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {"X-Pilvi-Host": self._name, "X-Pilvi-Front": SECRET}
        self._connection = self._connection or _Kept()  # type: ignore[assignment]
        reply = self._wire.request(self._name, method, path, body or b"", headers)
        return reply.status, reply.content

    def download(self, image_id: str, into: Any) -> None:
        self._wire.scheduler.point("download", image_id[:8])
        try:
            what = f"GET /agent/v1/images/{image_id}/file"
            reply = self._wire.stream(self._name, what, lambda: self._images.image_for_host(self._name, image_id))
        except Lost as error:
            raise Unreachable(f"The image did not arrive: {error}.") from None
        if reply.status != 200:
            raise Unreachable(f"The image did not arrive: {reply.status}.")
        into.write(self.damaged(reply.content))

    def upload(self, image_id: str, path: Path) -> None:
        content = path.read_bytes()
        self._wire.scheduler.point("upload", image_id[:8])
        try:
            what = f"PUT /agent/v1/images/{image_id}/file"
            reply = self._wire.stream(
                self._name, what, lambda: self._images.image_from_host(self._name, image_id, content)
            )
        except Lost as error:
            raise Unreachable(f"The image was not taken: {error}.") from None
        if reply.status not in TAKEN:
            raise Unreachable(f"The image was not taken: {reply.status} {reply.content[:300]!r}")


class SimCache(ImageCache):
    """One fetch at a time, by a lock that tasks can wait for."""

    def __init__(self, directory: Path, download: Callable[[str, Any], None], scheduler: Scheduler) -> None:
        super().__init__(directory, download)
        self._one = Lock(scheduler)
        self.is_full: Callable[[], bool] = lambda: False

    def ensure(self, image: Image) -> ImageFile:
        with self._one:
            if self.is_full():
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().ensure(image)


class SimAgent(Agent):
    """The agent with a fixed machine below it; a turn that raises is a finding."""

    failed: Callable[[str, str], None]
    step: Callable[[str], None]
    is_full: Callable[[], bool]

    def _remember(self, state: dict[str, Any]) -> bool:
        self.step("remember")
        if self.is_full():
            self.desired_path = self.desired_path.parent / "no such directory" / "desired.json"
        kept = super()._remember(state)
        self.desired_path = self.config.paths.host / "desired.json"
        self.step("remembered")
        return kept

    def turn(self) -> None:
        try:
            super().turn()
        except Exception as error:
            self.failed("an agent's turn raises nothing", f"{self.config.agent.host}: {error!r}")
            raise

    def facts(self) -> dict[str, Any]:
        capabilities = self.hypervisor.capabilities()
        return {
            "vcpus": capabilities.vcpus, "memory_mib": capabilities.memory_mib, "disk_gib": capabilities.disk_gib,
            "memory_used_mib": 1, "disk_free_gib": 1, "hypervisor_type": "fake", "hypervisor_version": 1,
            "host_ip": "127.0.0.1", "cpu_info": {}, "traits": [], "version": "sim", "uptime": "",
        }  # fmt: skip


@dataclass
class Host:
    """The machine. `boot` starts its agent; `agent_dies` and `power_fails` are what may happen to it."""

    name: str
    scheduler: Scheduler
    wire: Wire
    directory: Path
    failed: Callable[[str, str], None]
    images: Images
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("fake", "1", "none", 4, 4096, 60))
    network_host: FakeHost = field(default_factory=FakeHost)
    process: Process | None = None
    agent: SimAgent | None = None
    clock_offset_s: float = 0.0
    disk_full: bool = False
    damages: bool = False
    """What arrives here is not what was sent."""

    def __post_init__(self) -> None:
        self.hypervisor = SimHypervisor(self.scheduler, self.capabilities, self.directory)
        self.network = SimNetworkDriver(self.scheduler, self.network_host)
        self.config = Config(cloud=CloudConfig(state_dir=self.directory), agent=AgentConfig(host=self.name))
        self.config.paths.host.mkdir(parents=True, exist_ok=True)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.alive

    def start(self) -> None:
        """The agent, as after a fork: nothing of an earlier one is known but what is on disk."""
        self.process = process = Process(self.name, clock_offset_s=self.clock_offset_s)
        self.network = SimNetworkDriver(self.scheduler, self.network_host)
        look = Event(self.scheduler)

        def run() -> None:
            agent = SimAgent(self.config, self.hypervisor, self.network, look, workers=0)
            agent.failed, agent.step, agent.is_full = self.failed, self.scheduler.point, lambda: self.disk_full
            agent.control = SimControl(self.config, self.wire, self.images)
            agent.control.damaged = lambda content: content[::-1] if self.damages else content
            agent.stopping = Event(self.scheduler)
            agent.cache = cache = SimCache(self.config.paths.host / "image-cache", agent._download, self.scheduler)
            cache.is_full = agent.is_full
            agent.servers._jobs = Jobs(self.scheduler)  # type: ignore[assignment]
            self.agent = agent
            for number in range(WORKERS):
                self.scheduler.spawn(f"{self.name} worker {number}", agent.servers._work, process)
            agent.run_turns()

        self.scheduler.spawn(f"{self.name} turns", run, process)

    def look(self) -> None:
        if self.alive and self.agent is not None:
            self.agent.look.set()

    def agent_dies(self) -> None:
        if self.process is not None:
            self.scheduler.kill(self.process)

    def power_fails(self) -> None:
        """The machine goes down: no agent, no guest. What is on disk stays."""
        self.agent_dies()
        self.hypervisor.machine_restarts()
        self.network_host.state = HostState()

    def remembered_revision(self) -> int | None:
        path = self.config.paths.host / "desired.json"
        return int(orjson.loads(path.read_bytes())["revision"]) if path.exists() else None
