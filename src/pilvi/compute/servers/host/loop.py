"""Runs the plan: a few workers, at most one of them on a server, faults kept and retried, nothing raised out."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pilvi.compute.drivers.image_cache import Image
from pilvi.compute.drivers.protocol import SOFT_TIMEOUT_S, DriverFault, Hypervisor, ImageFile, Observed, OpenTap
from pilvi.compute.servers.host import journal
from pilvi.compute.servers.host.journal import ImageFault, Journal, Report, Trouble
from pilvi.compute.servers.host.plan import Step, plan
from pilvi.compute.servers.host.wanted import Wanted, parse
from pilvi.kernel import clock
from pilvi.kernel.log import logger

WORKERS: Final = 4
STARTS_AT_ONCE: Final = 2

FetchImage = Callable[[Image], ImageFile]
SendImage = Callable[[str, Path], None]
"""Brings the file of an image, given by its id, to the image service. What the cloud no longer wants is dropped in
silence; raises DriverFault when it did not arrive."""
MOST_SENT: Final = 1000
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    server_id: str
    wanted: Wanted | None  # None: a guest that nobody wants
    steps: tuple[Step, ...]
    is_new: bool


def _nothing() -> None:
    return


def _no_images(image_id: str, path: Path) -> None:
    raise DriverFault("This host cannot send images.", retry=False)


class HostServers:
    """`apply` takes what is wanted, `turn` looks and sets to work, `reports` and `sent` carry the news away.

    All of them return at once and may be called from any thread; `on_news` is called from a worker when there is
    something to look at or to report. Give it something quick, such as setting an event.
    """

    def __init__(
        self,
        hypervisor: Hypervisor,
        *,
        open_tap: OpenTap,
        fetch_image: FetchImage,
        send_image: SendImage = _no_images,
        on_news: Callable[[], None] = _nothing,
        workers: int = WORKERS,
        shutdown_timeout_s: float = SOFT_TIMEOUT_S,
    ) -> None:
        self._hypervisor = hypervisor
        self._open_tap = open_tap
        self._fetch_image = fetch_image
        self._send_image = send_image
        self._on_news = on_news
        self._shutdown_timeout_s = shutdown_timeout_s
        self._starting = threading.BoundedSemaphore(STARTS_AT_ONCE)
        self._lock = threading.Condition()
        self._turning = threading.Lock()
        self._wanted: dict[str, Wanted] = {}
        self._present: dict[str, str] | None = None
        self._revision = -1
        self._may_delete = False
        self._busy: set[str] = set()
        self._sent: deque[str] = deque(maxlen=MOST_SENT)
        self._troubles: dict[str, Trouble] = {}
        self._journal = Journal()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        # Daemons: an agent that ends does not wait for a guest that shuts down. Every step may be taken again.
        self._workers = [threading.Thread(target=self._work, name=f"servers-{n}", daemon=True) for n in range(workers)]
        for worker in self._workers:
            worker.start()

    def apply(self, servers: Iterable[Mapping[str, Any]], *, revision: int, complete: bool) -> bool:
        """Take a desired state. False, and nothing done, if it is older than the one in force."""
        wanted: dict[str, Wanted] = {}
        understood = True
        for document in servers:
            try:
                server = parse(document)
            except (KeyError, TypeError, ValueError) as error:
                understood = False  # then what is missing from the list is not known to be unwanted
                _log.error("server not understood", server_id=document.get("id"), error=repr(error))
                continue
            wanted[server.id] = server
        with self._lock:
            if revision < self._revision:
                return False
            self._revision, self._wanted = revision, wanted
            self._may_delete = complete and understood
            self._journal.keep_only(wanted)
            self._troubles = {key: value for key, value in self._troubles.items() if key in wanted}
        return True

    def turn(self) -> None:
        """Compare and set to work. Never raises for what a hypervisor or a guest does."""
        with self._turning:
            with self._lock:
                if self._revision < 0:
                    return
                left_alone = set(self._busy)  # before looking: what is seen of these may be old by the end
                wanted, may_delete, images_sent = self._wanted, self._may_delete, tuple(self._sent)
            try:
                present = self._hypervisor.guests()
            except DriverFault as fault:
                _log.error("guests cannot be listed", error=fault.message, detail=fault.detail)
                return
            todo = plan(wanted, present, may_delete=may_delete, sent=images_sent)
            with self._lock:
                self._present = {guest_id: seen.power for guest_id, seen in present.items()}
                for server_id, steps in todo.items():
                    if server_id not in left_alone and self._wanted is wanted:
                        self._settle(server_id, wanted.get(server_id), present.get(server_id), steps)

    def present(self) -> dict[str, str] | None:
        """Every guest that was here at the last look, wanted or not, and whether it is on; None before the first."""
        with self._lock:
            return self._present

    def reports(self, *, everything: bool = False) -> list[Report]:
        """News since what was last `sent`; everything, for a control plane that has just come back."""
        with self._lock:
            return self._journal.reports(everything=everything)

    def sent(self, reports: Iterable[Report]) -> None:
        with self._lock:
            self._journal.sent(reports)

    def wait_idle(self, timeout_s: float) -> bool:
        """Until no worker is on a server; for tests and orderly ends."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._busy, timeout_s)

    def close(self) -> None:
        """No further steps. Those under way end with the process, or by themselves."""
        for _ in self._workers:
            self._jobs.put(None)

    # --- one server

    def _settle(self, server_id: str, wanted: Wanted | None, seen: Observed | None, steps: tuple[Step, ...]) -> None:
        trouble = self._troubles.get(server_id)
        if wanted is not None:
            if trouble is not None and (not steps or trouble.generation != wanted.generation):
                del self._troubles[server_id]
                trouble = None
            self._note(wanted, seen, is_converged=not steps, trouble=trouble)
        if not steps or (trouble is not None and clock.monotonic() < trouble.again_at):
            return
        self._busy.add(server_id)
        self._jobs.put(_Job(server_id, wanted, steps, is_new=seen is None or seen.generation == 0))

    def _note(self, wanted: Wanted, seen: Observed | None, *, is_converged: bool, trouble: Trouble | None) -> None:
        is_failed = trouble is not None and trouble.is_final
        self._journal.note(
            wanted.id,
            power="absent" if seen is None else seen.power,
            # A generation is named when it has been reached, or when the host has given it up.
            generation=wanted.generation if is_converged or is_failed else wanted.generation - 1,
            reboot_generation=0 if seen is None else seen.reboot_generation,
            detail="" if seen is None else seen.detail,
            error=None if trouble is None else trouble.told(),
        )

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            fault = self._carry_out(job)
            with self._lock:
                self._busy.discard(job.server_id)
                if job.wanted is not None and job.server_id in self._wanted:
                    self._remember(job.wanted, fault)
                self._lock.notify_all()
            self._on_news()

    def _remember(self, wanted: Wanted, fault: DriverFault | None) -> None:
        former = self._troubles.pop(wanted.id, None)
        if fault is None:
            return
        trouble = journal.after(former, wanted.generation, fault, clock.monotonic())
        self._troubles[wanted.id] = trouble
        current = self._wanted[wanted.id]
        if current.generation == wanted.generation:
            given_up = {"generation": wanted.generation} if trouble.is_final else {}
            self._journal.note(wanted.id, error=trouble.told(), **given_up)

    def _carry_out(self, job: _Job) -> DriverFault | None:
        taken: list[dict[str, Any]] = []
        try:
            for step in job.steps:
                self._take(step, job, taken)
        except DriverFault as fault:
            return fault
        except Exception as error:  # noqa: BLE001 - a bug in one step must not stop this host's other servers
            _log.error("step failed", server_id=job.server_id, exc_info=True)
            return DriverFault("The host met an error in itself; its log has it.", retry=True, detail=repr(error))
        finally:
            with self._lock:
                if job.server_id in self._wanted:
                    for step_taken in taken:
                        self._journal.add_step(job.server_id, step_taken)
        return None

    def _take(self, step: Step, job: _Job, taken: list[dict[str, Any]]) -> None:
        server_id, wanted = job.server_id, job.wanted
        request_id = "" if wanted is None else wanted.request_id
        _log.info("step", step=step, server_id=server_id, request_id=request_id)
        if step is Step.DESTROY or wanted is None:
            with journal.timed(step, request_id, taken):
                self._hypervisor.destroy(server_id)
            return
        if step is Step.DEFINE:
            assert wanted.image is not None, "a server that is not absent has an image"
            with journal.timed("fetch_image", request_id, taken if job.is_new else []):
                image = self._fetch_image(wanted.image)
        if step is Step.SNAPSHOT:
            self._make_image(wanted, taken)
            return
        with journal.timed(step, request_id, taken):
            match step:
                case Step.DEFINE:
                    self._hypervisor.define(wanted.spec(image))
                case Step.POWER_ON:
                    with self._starting:
                        self._hypervisor.power_on(server_id, self._open_tap)
                case Step.POWER_OFF:
                    hurry = self._is_overtaken(wanted)
                    self._hypervisor.power_off(server_id, timeout_s=self._shutdown_timeout_s, hurry=hurry)
                case Step.REBOOT:
                    self._reboot(wanted)
                case Step.PAUSE:
                    self._hypervisor.pause(server_id)
                case Step.RESUME:
                    self._hypervisor.resume(server_id)

    def _make_image(self, wanted: Wanted, taken: list[dict[str, Any]]) -> None:
        """An agent that dies here makes the image again; the image service takes only whole ones."""
        try:
            with journal.timed(Step.SNAPSHOT, wanted.request_id, taken):
                path = self._hypervisor.snapshot(wanted.id, hurry=self._is_overtaken(wanted))
            try:
                with journal.timed("upload_image", wanted.request_id, taken):
                    self._send_image(wanted.snapshot, path)
            finally:
                path.unlink(missing_ok=True)
        except Exception as error:
            _log.warning("image not made", server_id=wanted.id, image_id=wanted.snapshot, error=repr(error))
            raise ImageFault(wanted.snapshot, error) from error
        with self._lock:
            self._sent.append(wanted.snapshot)

    def _reboot(self, wanted: Wanted) -> None:
        self._hypervisor.reboot(
            wanted.id,
            wanted.reboot.kind,
            generation=wanted.reboot.generation,
            open_tap=self._open_tap,
            timeout_s=self._shutdown_timeout_s,
            hurry=self._is_overtaken(wanted),
        )

    def _is_overtaken(self, wanted: Wanted) -> Callable[[], bool]:
        """Whether waiting for the guest's good manners has become pointless: it is to go, or to be rebooted hard."""

        def overtaken() -> bool:
            with self._lock:
                now = self._wanted.get(wanted.id)
            if now is None or now.power == "absent":
                return True
            return now.reboot.kind == "hard" and now.reboot.generation > wanted.reboot.generation

        return overtaken
