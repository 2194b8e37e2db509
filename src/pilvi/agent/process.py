"""One agent: a thread that turns (pull, network, guests, report) and an event loop that answers guests and `live`."""

import asyncio
import platform
import shutil
import signal
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import pilvi
from pilvi.agent import memory
from pilvi.agent.control import ControlPlane, Unreachable
from pilvi.agent.guest_metadata import GuestMetadata
from pilvi.agent.link import Link
from pilvi.agent.network_steps import NetworkSteps
from pilvi.agent.responders.responders import Responders
from pilvi.agent.usage import HostUsage
from pilvi.compute.drivers.image_cache import Image, ImageCache
from pilvi.compute.drivers.protocol import DriverFault as HypervisorFault
from pilvi.compute.drivers.protocol import HasConsole, Hypervisor, ImageFile
from pilvi.compute.servers.host import WORKERS, HostServers
from pilvi.kernel import clock, measures, metrics, tracing
from pilvi.kernel.config import Config
from pilvi.kernel.log import configure, logger
from pilvi.network.drivers.protocol import DriverFault, HostState, NetworkDriver
from pilvi.ops import drivers
from pilvi.ops.monitoring import otlp
from pilvi.ops.monitoring.process import know_oneself

CONSOLE_BYTES: Final = 256 * 1024
GIB: Final = 1024**3
FULL_TURN_S: Final = 30.0
"""How often the host looks at everything although nothing was said to have changed: drift heals by itself."""
_log = logger("agent")


class Agent:
    def __init__(
        self,
        config: Config,
        hypervisor: Hypervisor,
        network: NetworkDriver,
        look: threading.Event | None = None,
        *,
        workers: int = WORKERS,
    ) -> None:
        """`look` is set when there is something to look at; `workers` carry out steps on guests."""
        self.config = config
        self.hypervisor = hypervisor
        self.network = network
        self.control = ControlPlane(config)
        self.metadata = GuestMetadata()
        self.network_steps = NetworkSteps()
        self.desired_path = config.paths.host / "desired.json"
        self.cache = ImageCache(config.paths.host / "image-cache", self._download)
        self.look = look or threading.Event()
        self.stopping = threading.Event()
        self.servers = HostServers(
            hypervisor, open_tap=network.open_tap, fetch_image=self._image, send_image=self._send_image,
            on_news=self.look.set, workers=workers,
        )  # fmt: skip
        self.responders = Responders(config.cloud.tag, self.metadata.answer)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._state: dict[str, Any] | None = None
        self._network_report: dict[str, Any] = {}
        self._told_network: dict[str, Any] | None = None
        self._announced = False
        self._applied_at = -FULL_TURN_S
        self._reported_at = -1e9
        self._was_away = True
        self._forgetful = False

    def _download(self, image_id: str, into: Any) -> None:
        try:
            self.control.download(image_id, into)
        except Unreachable as error:
            raise HypervisorFault(str(error), retry=True) from None

    def _send_image(self, image_id: str, path: Path) -> None:
        try:
            self.control.upload(image_id, path)
        except Unreachable as error:
            told = "The image could not be brought to the image service."
            raise HypervisorFault(told, retry=True, detail=str(error)) from None

    def _image(self, image: Image) -> ImageFile:
        return self.cache.ensure(image)

    # -- the turning thread ----------------------------------------------------------------------------------------

    def run_turns(self) -> None:
        """Until told to stop. First what the disk remembers, so that guests need no control plane to come back."""
        remembered = memory.load(self.desired_path)
        if remembered is not None:
            self._state = remembered
            self._apply(remembered)
        while not self.stopping.is_set():
            self.look.clear()
            try:
                self._counted_turn()
            except Exception as error:  # noqa: BLE001 one bad turn must not end the host's loop
                _log.exception("turn.failed", error=repr(error))
                self.stopping.wait(1.0)
            self.look.wait(self.config.agent.report_interval_s if not self._was_away else 1.0)

    def _counted_turn(self) -> None:
        began, outcome = clock.monotonic(), "failed"
        try:
            self.turn()
            outcome = "away" if self._was_away else "done"
        finally:
            measures.AGENT_TURNS.inc(outcome)
            measures.AGENT_TURN_SECONDS.observe(clock.monotonic() - began)

    def turn(self) -> None:
        """Pull, make it so, report. Each part is safe to repeat."""
        self._pull()
        state = self._state
        if state is not None:
            if clock.monotonic() - self._applied_at >= FULL_TURN_S:
                self._apply(state)
            else:
                self.servers.turn()
        self._report()

    def _pull(self) -> None:
        known = int(self._state["revision"]) if self._state and not self._was_away else None
        if not self._announced:
            return
        try:
            fresh = self.control.state(known)
        except Unreachable as error:
            self._away(error)
            return
        if fresh is None or not fresh.get("complete"):
            return
        if fresh != self._state and self._remember(fresh):
            self._state = fresh
            self._apply(fresh)

    def _remember(self, state: dict[str, Any]) -> bool:
        """On disk before anything is done with it: else a host that restarts would bring back what is long gone."""
        try:
            memory.save(self.desired_path, state)
        except OSError as error:
            self._forgetful = True
            _log.error("memory.failed", error=repr(error), remedy="make room on the disk of the state directory")
            return False
        self._forgetful = False
        return True

    def _away(self, error: Unreachable) -> None:
        if not self._was_away:
            _log.warning("control.away", error=str(error))
        self._was_away = True

    def _apply(self, state: dict[str, Any]) -> None:
        """Network first: a guest needs its ports. Nothing is removed by a state that is not complete."""
        complete = bool(state.get("complete"))
        self.metadata.apply(state.get("servers") or [], state.get("network") or {})
        self._apply_network(state, complete)
        self.servers.apply(state.get("servers") or [], revision=int(state["revision"]), complete=complete)
        self.servers.turn()
        self._applied_at = clock.monotonic()

    def _apply_network(self, state: dict[str, Any], complete: bool) -> None:
        try:
            wanted = HostState.from_json(state.get("network") or {})
            with self.network_steps.turn(wanted):
                status = self.network.reconcile(wanted, may_remove=complete)
        except (DriverFault, ValueError, KeyError, TypeError) as fault:
            _log.error("network.failed", error=str(fault))
            self._network_report, self._told_network = {"error": str(fault)}, None
            return
        errors = self._in_loop(self.responders.apply(wanted))
        for where, text in (errors or {}).items():
            _log.warning("responder.failed", where=where, error=text)
        self._network_report = {"revision": int(state["revision"]), **status.to_json(), "responders": errors or {}}
        self._told_network = None  # Told after each turn, news or not: an older report may have come late.

    def _in_loop(self, work: Any) -> Any:
        if self.loop is None:
            work.close()
            return {}
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(timeout=60)

    def _report(self) -> None:
        everything = self._was_away
        guests = self.servers.reports(everything=everything)
        steps = list(self.network_steps.steps)
        network_news = bool(steps) or self._network_report != self._told_network
        due = clock.monotonic() - self._reported_at >= self.config.agent.report_interval_s
        if self._announced and not (guests or network_news or due or everything):
            return
        document: dict[str, Any] = {
            "revision": int(self._state["revision"]) if self._state else 0,
            "servers": guests,
        }
        if network_news or everything:
            document["network"] = self._network_report | {"steps": steps}
        if not self._announced or everything or due:
            document["host"] = self.facts()
            document["started"] = not self._announced
        told = self._network_report
        try:
            with tracing.working_for(_request_of(guests)):
                answer = self.control.report(document)
        except Unreachable as error:
            self._away(error)
            return
        if self._was_away:
            _log.info("control.back")
        self._was_away = False
        self._announced = True
        self._reported_at = clock.monotonic()
        self._told_network = told
        self.network_steps.told(steps)
        self.servers.sent(guests)
        if self._forgetful:
            return  # It asks again at its next turn; there is no hurry while the disk is full.
        if self._state is None or int(answer.get("revision") or 0) > int(self._state["revision"]):
            self.look.set()

    def facts(self) -> dict[str, Any]:
        """What this machine is, for placement and for operators."""
        capabilities = self.hypervisor.capabilities()
        disk = shutil.disk_usage(self.config.paths.host)
        return {
            "vcpus": capabilities.vcpus,
            "memory_mib": capabilities.memory_mib,
            "memory_used_mib": _memory_used_mib(),
            "disk_gib": capabilities.disk_gib,
            "disk_free_gib": disk.free // GIB,
            "hypervisor_type": capabilities.hypervisor,
            "hypervisor_version": _version_number(capabilities.version),
            "host_ip": self.config.front.agents_listen.rpartition(":")[0],
            "cpu_info": {
                "arch": platform.machine(),
                "model": capabilities.cpu_model,
                "acceleration": capabilities.acceleration,
            },
            "traits": sorted(capabilities.traits),
            "version": pilvi.__version__,
            "uptime": _uptime(),
            "guests": self.servers.present(),
        }

    # -- what `live` asks ------------------------------------------------------------------------------------------

    def console_output(self, server_id: str, lines: int | None) -> str:
        if not isinstance(self.hypervisor, HasConsole):
            return ""
        text = self.hypervisor.console_output(server_id, max_bytes=CONSOLE_BYTES).decode("utf-8", "replace")
        if lines is None:
            return text
        return "\n".join(text.splitlines()[-lines:]) if lines else ""

    def vnc_socket(self, server_id: str) -> Path | None:
        return self.hypervisor.vnc_socket(server_id) if isinstance(self.hypervisor, HasConsole) else None

    def wanted_servers(self) -> list[dict[str, Any]]:
        """What this host should run, as it was told last."""
        return (self._state or {}).get("servers") or []

    async def serve(self) -> None:
        """The event loop: responders, the link to `live`, signals. The turns run beside it."""
        self.loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, stop.set)
        link = Link(self.config, on_look=self.look.set, console_output=self.console_output, vnc_socket=self.vnc_socket)
        turns = threading.Thread(target=self.run_turns, name="turns", daemon=True)
        turns.start()
        linked = asyncio.create_task(link.run())
        await stop.wait()
        self.stopping.set()
        self.look.set()
        linked.cancel()
        await asyncio.to_thread(turns.join, 5.0)
        await self.responders.close()
        self.servers.close()


def _request_of(guests: list[dict[str, Any]]) -> str:
    """The request that a report is about: that of its newest step."""
    steps = [step for guest in guests for step in guest["steps"]]
    return str(max(steps, key=lambda step: str(step["at"]))["request_id"]) if steps else ""


def _memory_used_mib() -> int:
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return (int(fields["MemTotal"].split()[0]) - int(fields["MemAvailable"].split()[0])) // 1024


def _uptime() -> str:
    seconds = int(float(Path("/proc/uptime").read_text().split()[0]))
    days, rest = divmod(seconds, 86400)
    load = " ".join(Path("/proc/loadavg").read_text().split()[:3])
    return f"up {days} days, {rest // 3600}:{rest % 3600 // 60:02d}, load average: {load}"


def _version_number(text: str) -> int:
    """`7.2.22` → 7002022, the form that the API has always shown."""
    parts = [int(p) if p.isdigit() else 0 for p in text.split("(")[0].strip().split(".")[:3]]
    major, minor, patch = (*parts, 0, 0, 0)[:3]
    return major * 1_000_000 + minor * 1_000 + patch


def run(config: Config) -> None:
    """Until SIGTERM. Guests and networks stay as they are when the agent ends."""
    configure("agent", config.paths.log, level=config.api.log_level)
    config.paths.host.mkdir(mode=0o700, parents=True, exist_ok=True)
    look = threading.Event()
    agent = Agent(config, drivers.hypervisor(config, lambda _: look.set()), drivers.network_driver(config), look)
    know_oneself()
    otlp.start(config, "agent")
    metrics.collectors.append(HostUsage(agent.hypervisor, agent.network, agent.wanted_servers, config.paths.host))
    asyncio.run(agent.serve())
