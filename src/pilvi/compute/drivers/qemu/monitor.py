"""What QEMU is asked and told about one guest, in this driver's words. A connection is held for one question only."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from pilvi.compute.drivers.protocol import DriverFault
from pilvi.compute.drivers.qemu import argv, console
from pilvi.compute.drivers.qemu.process import Process, is_alive, kill, log_tail, wait_gone
from pilvi.compute.drivers.qemu.qmp import Qmp, QmpFault

State = Literal["running", "paused", "starting", "shut-down", "broken", "silent"]

STATES: Final[dict[str, State]] = {
    "running": "running",
    "suspended": "running",
    "watchdog": "running",
    "finish-migrate": "running",
    "save-vm": "running",
    "debug": "paused",
    "paused": "paused",
    "io-error": "paused",
    "restore-vm": "paused",
    "postmigrate": "paused",
    "colo": "paused",
    "prelaunch": "starting",
    "inmigrate": "starting",
    "shutdown": "shut-down",
    "guest-panicked": "broken",
    "internal-error": "broken",
}
START_TIMEOUT_S: Final = 60.0
QUIT_TIMEOUT_S: Final = 5.0
LOCK_TIMEOUT_S: Final = 30.0
PRESS_EVERY_S: Final = 6.0  # a guest that is still booting does not notice the power button: it is pressed again
LOG: Final = "qemu.log"


class Monitor:
    """The monitor of one guest's process. QEMU serves one connection at a time, so ours queue up here."""

    def __init__(self, directory: Path, uid: int | None) -> None:
        self._directory = directory
        self._uid = uid
        self._lock = threading.Lock()

    @contextmanager
    def connection(self, timeout_s: float = 15.0) -> Iterator[Qmp]:
        if not self._lock.acquire(timeout=LOCK_TIMEOUT_S):
            raise QmpFault("QEMU's monitor is busy with another question.")
        try:
            with Qmp(self._directory / argv.QMP_SOCKET, uid=self._uid, timeout_s=timeout_s) as qmp:
                yield qmp
        finally:
            self._lock.release()

    def state(self) -> tuple[State, str]:
        """The guest's state and QEMU's own word for it. `silent` when the process cannot be asked."""
        try:
            with self.connection(5.0) as qmp:
                word = str(qmp.execute("query-status")["status"])
        except QmpFault as fault:
            return "silent", fault.message
        return STATES.get(word, "running"), word

    def tell(self, *commands: str) -> None:
        with self.connection() as qmp:
            for command in commands:
                qmp.execute(command)

    def wait_ready(self, process: Process) -> None:
        """Until the new process answers. One that ends instead says why in its log."""
        deadline = time.monotonic() + START_TIMEOUT_S
        pause_s = 0.02
        while True:
            try:
                self.tell()
                return
            except QmpFault as fault:
                if not is_alive(process):
                    raise DriverFault(
                        "QEMU ended at once.", retry=True, detail=log_tail(self._directory / LOG)
                    ) from fault
                if time.monotonic() > deadline:
                    raise DriverFault(f"QEMU did not answer within {START_TIMEOUT_S:.0f} s.", retry=True) from fault
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.5)

    def wait_shut_down(self, process: Process, timeout_s: float, hurry: Callable[[], bool]) -> bool:
        """Presses the power button until the guest has switched itself off; False if it did not in time."""
        deadline = time.monotonic() + timeout_s
        press_at = 0.0
        while is_alive(process):
            state, _ = self.state()
            if state == "shut-down":
                return True
            if state != "running" or time.monotonic() >= deadline or hurry():
                return False
            if time.monotonic() >= press_at:
                self.tell("system_powerdown")
                press_at = time.monotonic() + PRESS_EVERY_S
            time.sleep(0.2)
        return False

    def save_console(self) -> None:
        with self.connection(5.0) as qmp:
            console.drain(self._directory, qmp)

    def end(self, process: Process) -> None:
        """Ends the process, with its disks flushed if it still listens."""
        if not is_alive(process):
            return
        try:
            self.save_console()
            self.tell("quit")
        except QmpFault:
            kill(process)
        if not wait_gone(process, QUIT_TIMEOUT_S):
            kill(process)
