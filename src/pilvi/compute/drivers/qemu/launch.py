"""Starts a guest's process so that a crash of ours at any point leaves either nothing or a process we know."""

import contextlib
import os
import shutil
import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pilvi.compute.drivers.protocol import DriverFault, GuestSpec, OpenTap
from pilvi.compute.drivers.qemu import argv, boot_probe, installation, process, record
from pilvi.compute.drivers.qemu.config import QemuConfig
from pilvi.compute.drivers.qemu.monitor import LOG, Monitor
from pilvi.compute.drivers.qemu.process import Process
from pilvi.compute.drivers.qemu.record import Record


class Launcher:
    def __init__(self, config: QemuConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._acceleration: Literal["kvm", "tcg"] | None = None

    def check(self, spec: GuestSpec) -> None:
        """Raises now what a start would raise later."""
        argv.build(spec, self._machine(installation.find(self._config.binary).machine_type), [0] * len(spec.nics))

    def launch(self, directory: Path, known: Record, monitor: Monitor, open_tap: OpenTap) -> Process:
        """The process stands still until its pid is on disk; only then may the guest run."""
        kill_strays(directory, known.spec.id)
        _make_run_directory(directory, known.uid)
        started = self._start(directory, known, open_tap)
        try:
            monitor.wait_ready(started)
            running = known.started(pid=started.pid, start_ticks=started.start_ticks, boot_id=process.boot_id())
            record.write(directory, running)
            monitor.tell("cont")
        except DriverFault:
            process.kill(started)
            record.write(directory, replace(known, pid=0, start_ticks=0))
            raise
        return started

    def _start(self, directory: Path, known: Record, open_tap: OpenTap) -> Process:
        taps: list[int] = []
        try:
            for nic in known.spec.nics:
                taps.append(open_tap(nic.port_id))  # noqa: PERF401 - those opened are closed if the next one fails
            return process.start(
                argv.build(known.spec, self._machine(known.machine_type), taps),
                directory=directory,
                uid=user_of(known),
                log=directory / LOG,
                pass_fds=taps,
                groups=self._groups(),
            )
        finally:
            for tap in taps:
                os.close(tap)

    def acceleration(self) -> Literal["kvm", "tcg"]:
        with self._lock:
            if self._acceleration is None:
                cache = self._config.directory / "probe.json"
                self._acceleration, _ = boot_probe.choose(
                    self._config.virt_type, cache, shutil.which(self._config.binary) or "", self._config.probe_guest
                )
            return self._acceleration

    def _machine(self, machine_type: str) -> argv.Machine:
        return argv.Machine(self._config.binary, machine_type, self.acceleration(), self._config.cpu_model)

    def _groups(self) -> list[int]:
        """The group that may open /dev/kvm, where there is one."""
        if self.acceleration() == "kvm":
            with contextlib.suppress(OSError):
                status = Path("/dev/kvm").stat()
                return [status.st_gid] if status.st_mode & stat.S_IRGRP else []
        return []


def kill_strays(directory: Path, guest_id: str) -> None:
    """A process that was started and not recorded has not run an instruction of its guest yet."""
    for stray in process.find(directory.resolve(), f"guest={guest_id},debug-threads=on"):
        process.kill(stray)


def user_of(known: Record) -> int | None:
    """Without root there is only ourselves."""
    return known.uid if os.geteuid() == 0 else None


def _make_run_directory(directory: Path, uid: int) -> None:
    """The only place where the guest's user may create anything: its sockets."""
    path = directory / "run"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(path, uid, uid)
