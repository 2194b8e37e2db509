"""Faults of a whole machine, one after another, chosen by a seed: each bounded, each undone."""

import errno
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from tests.e2e.site import CommandFailed, Site, run

PROCESSES = ("front", "api", "live", "agent", "supervisor")
SMALL_DISK = "1500m"


@contextmanager
def small_disk(path: Path) -> Iterator[Path]:
    """A file system of its own, so that filling it harms nobody else."""
    path.mkdir()
    run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=700", "pilvi-chaos", str(path)])
    try:
        yield path
    finally:
        run(["umount", "--lazy", str(path)], check=False)


class Chaos:
    """`strike` makes one fault and takes it back. What was done is in `done`, in order."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.chance = random.Random(seed)
        self.done: list[str] = []
        self._faults: list[tuple[int, Callable[[], str]]] = [
            (4, self._kill), (3, self._pause), (1, self._fill_the_disk), (2, self._hold_the_database),
            (2, self._cut_the_agent_off),
        ]  # fmt: skip

    def strike(self) -> None:
        weights = [weight for weight, _ in self._faults]
        fault = self.chance.choices([fault for _, fault in self._faults], weights)[0]
        self.done.append(fault())
        time.sleep(self.chance.uniform(0.2, 2.0))

    def summary(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in sorted(Counter(self.done).items()))

    def _pid(self, name: str) -> int | None:
        return self.site.pids().get(name)

    def _kill(self) -> str:
        name = self.chance.choice(PROCESSES)
        pid = self._pid(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if name == "supervisor":  # nobody watches the watcher: `up` brings it back
                self.site.up()
        return f"kill {name}"

    def _pause(self) -> str:
        """A process that hangs, and goes on as if nothing had been."""
        name = self.chance.choice(PROCESSES[:4])
        pid = self._pid(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(self.chance.uniform(1.0, 6.0))
                os.kill(pid, signal.SIGCONT)
        return f"pause {name}"

    def _fill_the_disk(self) -> str:
        ballast = self.site.state.parent / "ballast"
        block = bytes(4 * 1024 * 1024)
        try:
            with ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        time.sleep(self.chance.uniform(2.0, 5.0))
        ballast.unlink()
        return "full disk"

    def _hold_the_database(self) -> str:
        """Somebody else writes for a while, longer than one transaction should take."""
        connection = apsw.Connection(str(self.site.state / "cloud.db"))
        try:
            connection.set_busy_timeout(10_000)
            connection.execute("begin immediate")
            time.sleep(self.chance.uniform(1.0, 7.0))
            connection.execute("rollback")
        except apsw.BusyError:
            return "database busy already"
        finally:
            connection.close()
        return "hold database"

    def _cut_the_agent_off(self) -> str:
        """Packets of the agents' port vanish: the agent's connections neither work nor end."""
        port = next(s for s in self.site.settings if s.startswith("front.agents_listen=")).rpartition(":")[2]
        table = f"pv_chaos_{self.site.tag}"
        cut = "type filter hook output priority 0; policy accept;"
        rules = f"table inet {table} {{\n chain cut {{\n {cut}\n"
        rules += f'oifname "lo" tcp dport {port} drop\noifname "lo" tcp sport {port} drop\n}}\n}}\n'
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, timeout=30)
        try:
            time.sleep(self.chance.uniform(3.0, 10.0))
        finally:
            run(["nft", "delete", "table", "inet", table])
        return "cut agent off"


class Churn(threading.Thread):
    """A tenant who goes on working through all of it: what fails is tried again or left, as people do."""

    def __init__(self, site: Site, user: dict[str, str], seed: int) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.user = user
        self.chance = random.Random(seed)
        self.enough = threading.Event()
        self.succeeded = 0
        self.refused = 0

    def run(self) -> None:
        number = 0
        while not self.enough.is_set():
            number += 1
            name = f"churn-{number}"
            self._try("network", "create", name)
            self._try("subnet", "create", "--network", name, "--subnet-range", f"10.99.{number % 250}.0/24", name)
            self._try("port", "create", "--network", name, name)
            self._try("server", "create", "--image", "walk-tiny", "--flavor", "m1.nano", "--network", "walk-net", name)
            self._try("server", "set", "--property", f"turn={number}", "one")
            self.enough.wait(self.chance.uniform(0.5, 4.0))
            self._try("server", "delete", name)
            self._try("network", "delete", name)
            self._try("port", "delete", name)
            self._try("network", "delete", name)

    def _try(self, *words: str) -> None:
        if self.enough.is_set():
            return
        try:
            self.site.openstack(*words, user=self.user, show=False)
            self.succeeded += 1
        except (CommandFailed, subprocess.TimeoutExpired):
            self.refused += 1
