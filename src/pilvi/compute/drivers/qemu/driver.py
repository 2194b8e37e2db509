"""The Hypervisor protocol on QEMU processes. Each call finds out what is true, does the missing part, records it."""

import contextlib
import fcntl
import os
import re
import shutil
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from pilvi.compute.drivers.protocol import (
    Capabilities,
    DriverFault,
    GuestSpec,
    Observed,
    OpenTap,
    RebootKind,
    Usage,
    never,
)
from pilvi.compute.drivers.qemu import argv, console, disks, installation, launch, process, record, snapshots
from pilvi.compute.drivers.qemu.config import QemuConfig
from pilvi.compute.drivers.qemu.monitor import LOG, Monitor
from pilvi.compute.drivers.qemu.process import Process
from pilvi.compute.drivers.qemu.record import Record
from pilvi.compute.drivers.qemu.watch import Watcher

__all__ = ["Qemu", "QemuConfig"]

UIDS_PER_HOST: Final = 4096
HOUR_S: Final = 3600.0
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}\Z")


class Qemu:
    """One per host directory. A second one on the same directory is refused."""

    def __init__(self, config: QemuConfig, on_change: Callable[[str], None] | None = None) -> None:
        """`on_change` is called from a thread with the id of a guest that stopped, ended or went on by itself."""
        self._config = config
        self._launcher = launch.Launcher(config)
        self._watcher = None if on_change is None else Watcher(on_change)
        self._guests_dir = config.directory / "guests"
        self._guests_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._first_uid = config.first_uid or 1_600_000_000 + UIDS_PER_HOST * (
            zlib.crc32(str(self._guests_dir.resolve()).encode()) % 100_000
        )
        self._held = _hold(self._guests_dir / ".lock")
        self._lock = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._monitors: dict[tuple[str, int], Monitor] = {}
        for gone in self._guests_dir.glob(".gone-*"):
            shutil.rmtree(gone, ignore_errors=True)

    def close(self) -> None:
        """Lets another driver have the directory. Guests run on."""
        if self._watcher is not None:
            self._watcher.close()
        os.close(self._held)

    # --- what is there

    def usage(self) -> Mapping[str, Usage]:
        ids = [path.name for path in self._guests_dir.iterdir() if _ID.match(path.name)]
        found: dict[str, Usage] = {}
        for guest_id in ids:
            with contextlib.suppress(DriverFault):
                known = self._read(guest_id)
                used = None if known is None or known.pid == 0 else process.usage(_process(known))
                if used is not None:
                    found[guest_id] = used
        return found

    def capabilities(self) -> Capabilities:
        found = installation.find(self._config.binary)
        return Capabilities(
            hypervisor="QEMU",
            version=found.version,
            acceleration=self._launcher.acceleration(),
            vcpus=os.cpu_count() or 1,
            memory_mib=installation.memory_mib(),
            disk_gib=shutil.disk_usage(self._guests_dir).total // disks.GIB,
            cpu_model=self._config.cpu_model or ("host" if self._launcher.acceleration() == "kvm" else "qemu64"),
            disk_formats=frozenset({"qcow2", "raw", "iso", "ami", "vmdk", "vdi", "vhd", "vhdx"}),
            traits=frozenset({"COMPUTE_NET_VIF_MODEL_VIRTIO", "COMPUTE_STORAGE_BUS_VIRTIO", "COMPUTE_NODE"}),
        )

    def guests(self) -> Mapping[str, Observed]:
        ids = [path.name for path in self._guests_dir.iterdir() if _ID.match(path.name)]
        return {guest_id: self._observe(guest_id) for guest_id in ids}

    def _observe(self, guest_id: str) -> Observed:
        lock = self._lock_of(guest_id)
        is_ours = lock.acquire(blocking=False)  # a call about this guest is under way: look, but settle nothing
        try:
            return self._look(guest_id, may_settle=is_ours)
        finally:
            if is_ours:
                lock.release()

    def _look(self, guest_id: str, *, may_settle: bool) -> Observed:
        try:
            known = self._read(guest_id)
        except DriverFault as fault:  # one broken record must not hide the other guests; defining it will complain
            return Observed(guest_id, "crashed", 0, stopped_by="outage", detail=fault.message)
        if known is None:
            return Observed(guest_id, "off", 0, detail="its definition was interrupted")
        process.bound_log(self._path(guest_id) / LOG)
        seen = Observed(
            guest_id,
            "off",
            known.spec.generation,
            stopped_generation=known.stopped_generation,
            reboot_generation=known.reboot_generation,
            stopped_by=known.stopped_by,
            crashes=sum(at > time.time() - HOUR_S for at in known.crashed_at),
        )
        if not process.is_alive(_process(known)):
            return _look_at_dead(seen, known, self._path(guest_id))
        self._follow(known, _process(known))
        state, word = self._monitor(guest_id, known).state()
        match state:
            case "running" | "silent":
                return replace(seen, power="on", detail="" if state == "running" else word)
            case "paused":
                return replace(seen, power="paused", detail="" if word == "paused" else f"QEMU says {word}")
            case "broken":
                return replace(seen, power="crashed", detail=f"QEMU says {word}")
            case "starting":
                return seen
            case "shut-down":
                return self._settle_shut_down(seen, known) if may_settle else replace(seen, power="on")

    def _settle_shut_down(self, seen: Observed, known: Record) -> Observed:
        """The guest switched itself off. Unless that was the first half of a reboot, its process may go."""
        if known.reboot_phase:
            return replace(seen, power="on")
        self._end(known)
        known = replace(known, stopped_by="guest", stopped_generation=known.spec.generation)
        self._write(known)
        return replace(seen, stopped_by="guest", stopped_generation=known.stopped_generation)

    # --- making and unmaking

    def define(self, spec: GuestSpec) -> None:
        check(spec)
        with self._lock_of(spec.id):
            known, directory = self._read(spec.id), self._path(spec.id)
            if known is not None and known.spec.generation >= spec.generation:
                return
            self._launcher.check(spec)
            if known is None:
                known = self._prepare(spec)
            disks.ensure(directory, spec, known.uid)
            self._write(replace(known, spec=spec))

    def _prepare(self, spec: GuestSpec) -> Record:
        """An empty directory for the guest. What an interrupted attempt left may belong to another user: it goes."""
        directory = self._path(spec.id)
        launch.kill_strays(directory, spec.id)
        shutil.rmtree(directory, ignore_errors=True)
        uid = self._free_uid()
        directory.mkdir(mode=0o710)
        if os.geteuid() == 0:
            os.chown(directory, 0, uid)
        found = installation.find(self._config.binary)
        return Record(spec, uid, argv.PCI_PLAN, found.machine_type, reboot_generation=spec.reboot_generation)

    def _free_uid(self) -> int:
        with self._lock:
            taken = {path.stat().st_gid for path in self._guests_dir.iterdir() if _ID.match(path.name)}
        for uid in range(self._first_uid, self._first_uid + UIDS_PER_HOST):
            if uid not in taken:
                return uid
        raise DriverFault(f"This host has {UIDS_PER_HOST} guests and no user for one more.", retry=True)

    def destroy(self, guest_id: str) -> None:
        with self._lock_of(guest_id):
            directory = self._path(guest_id)
            if not directory.exists():
                return
            with contextlib.suppress(DriverFault):  # a record that cannot be read does not keep a guest alive
                known = self._read(guest_id)
                if known is not None:
                    process.kill(_process(known))
            launch.kill_strays(directory, guest_id)
            gone = directory.with_name(f".gone-{guest_id}")
            shutil.rmtree(gone, ignore_errors=True)
            directory.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        with self._lock:
            self._locks.pop(guest_id, None)
            self._monitors = {key: value for key, value in self._monitors.items() if key[0] != guest_id}

    # --- power

    def power_on(self, guest_id: str, open_tap: OpenTap) -> None:
        with self._lock_of(guest_id):
            known = self._known(guest_id)
            if process.is_alive(_process(known)):
                state, word = self._monitor(guest_id, known).state()
                if state in ("running", "paused"):
                    return
                if state == "starting":
                    self._monitor(guest_id, known).tell("cont")
                    return
                if state == "silent":
                    raise DriverFault("The guest's process does not answer.", retry=True, detail=word)
                if state == "broken":
                    known = known.crashed(time.time())
                self._end(known)
            elif _has_crashed(known):
                known = known.crashed(time.time())
            self._launch(known, open_tap)

    def power_off(self, guest_id: str, *, timeout_s: float, hurry: Callable[[], bool] = never) -> None:
        with self._lock_of(guest_id):
            known = self._read(guest_id)
            if known is None:
                return
            if process.is_alive(_process(known)):
                if timeout_s > 0:
                    self._monitor(guest_id, known).wait_shut_down(_process(known), timeout_s, hurry)
                self._end(known)
            self._write(replace(known, stopped_by="host", rebooting_generation=0, reboot_phase=""))

    def pause(self, guest_id: str) -> None:
        self._switch(guest_id, "running", "paused", "stop")

    def resume(self, guest_id: str) -> None:
        self._switch(guest_id, "paused", "running", "cont")

    def _switch(self, guest_id: str, before: str, after: str, command: str) -> None:
        with self._lock_of(guest_id):
            known = self._known(guest_id)
            alive = process.is_alive(_process(known))
            state, _ = self._monitor(guest_id, known).state() if alive else ("off", "")
            if state == after:
                return
            if state != before:
                raise DriverFault(f"The guest is {state}, not {before}.", retry=True)
            self._monitor(guest_id, known).tell(command)

    # --- reboot

    def reboot(
        self,
        guest_id: str,
        kind: RebootKind,
        *,
        generation: int,
        open_tap: OpenTap,
        timeout_s: float,
        hurry: Callable[[], bool] = never,
    ) -> None:
        with self._lock_of(guest_id):
            known = self._known(guest_id)
            if known.reboot_generation >= generation:
                return
            if kind == "soft" and self._reboot_softly(known, generation, timeout_s, hurry):
                return
            known = self._known(guest_id)
            if process.is_alive(_process(known)):
                self._end(known)
            # One write says both that it runs and that the reboot is done.
            self._launch(known.rebooted(generation), open_tap)

    def _reboot_softly(self, known: Record, generation: int, timeout_s: float, hurry: Callable[[], bool]) -> bool:
        """The guest shuts down, the machine is reset and goes on. The phases on disk make each happen once.

        False if the guest does not run, or does not listen: then the hard way remains.
        """
        if not process.is_alive(_process(known)):
            return False
        monitor = self._monitor(known.spec.id, known)
        state, _ = monitor.state()
        if known.rebooting_generation != generation:
            if state != "running":
                return False
            known = replace(known, rebooting_generation=generation, reboot_phase="stopping")
            self._write(known)
        if known.reboot_phase == "stopping":
            if not monitor.wait_shut_down(_process(known), timeout_s, hurry):
                return False
            known = replace(known, reboot_phase="resetting")
            self._write(known)
        state, _ = monitor.state()
        if state == "shut-down":
            monitor.tell("system_reset", "cont")
        elif state in ("starting", "paused"):
            monitor.tell("cont")
        elif state != "running":
            return False
        self._write(known.rebooted(generation))
        return True

    # --- images

    def snapshot(self, guest_id: str, *, hurry: Callable[[], bool] = never) -> Path:
        with self._lock_of(guest_id):
            known = self._known(guest_id)
            directory, size_bytes = self._path(guest_id), disks.size_of_root(self._path(guest_id))
            if not process.is_alive(_process(known)):
                path = snapshots.prepare(directory, size_bytes, known.uid)
                snapshots.of_stopped(directory, known.spec, known.uid)
                return path
            monitor = self._monitor(guest_id, known)
            snapshots.clear(monitor)
            path = snapshots.prepare(directory, size_bytes, known.uid)
            snapshots.of_running(monitor, _process(known), hurry)
            return path

    # --- console

    def console_output(self, guest_id: str, *, max_bytes: int) -> bytes:
        known = self._read(guest_id)
        if known is None:
            return b""
        if process.is_alive(_process(known)):
            with contextlib.suppress(DriverFault):  # what was saved before is better than nothing
                self._monitor(guest_id, known).save_console()
        return console.tail(self._path(guest_id), max_bytes)

    def vnc_socket(self, guest_id: str) -> Path | None:
        known = self._read(guest_id)
        if known is None or not process.is_alive(_process(known)):
            return None
        path = self._path(guest_id) / argv.VNC_SOCKET
        return path if path.exists() else None

    # --- records

    def _end(self, known: Record) -> None:
        self._monitor(known.spec.id, known).end(_process(known))

    def _launch(self, known: Record, open_tap: OpenTap) -> None:
        directory = self._path(known.spec.id)
        started = self._launcher.launch(directory, known, self._monitor(known.spec.id, known), open_tap)
        self._follow(known, started)

    def _follow(self, known: Record, running: Process) -> None:
        if self._watcher is not None:
            self._watcher.follow(known.spec.id, running, self._path(known.spec.id), launch.user_of(known))

    def _path(self, guest_id: str) -> Path:
        if not _ID.match(guest_id):
            raise DriverFault(f"{guest_id!r} is not the id of a guest.", retry=False)
        return self._guests_dir / guest_id

    def _read(self, guest_id: str) -> Record | None:
        return record.read(self._path(guest_id))

    def _known(self, guest_id: str) -> Record:
        known = self._read(guest_id)
        if known is None:
            raise DriverFault(f"Guest {guest_id} is not defined on this host.", retry=True)
        return known

    def _write(self, known: Record) -> None:
        record.write(self._path(known.spec.id), known)

    def _lock_of(self, guest_id: str) -> threading.RLock:
        with self._lock:
            return self._locks.setdefault(guest_id, threading.RLock())

    def _monitor(self, guest_id: str, known: Record) -> Monitor:
        with self._lock:
            key = (guest_id, known.uid)
            if key not in self._monitors:
                self._monitors[key] = Monitor(self._path(guest_id), launch.user_of(known))
            return self._monitors[key]


def check(spec: GuestSpec) -> None:
    """What ends up on a command line is checked here, whoever made it."""
    if not _ID.match(spec.id):
        raise DriverFault(f"{spec.id!r} is not the id of a guest.", retry=False)
    for nic in spec.nics:
        if not _MAC.match(nic.mac) or not 68 <= nic.mtu <= 65535:
            raise DriverFault(f"Port {nic.port_id} has MAC {nic.mac!r} and MTU {nic.mtu}.", retry=False)
    if spec.vcpus < 1 or spec.memory_mib < 1 or min(spec.root_gib, spec.ephemeral_gib, spec.swap_mib) < 0:
        raise DriverFault("The flavor's processors, memory or disks make no sense.", retry=False)
    disks.root_size_bytes(spec)


def _process(known: Record) -> Process:
    return Process(known.pid, known.start_ticks if known.boot_id == process.boot_id() else 0)


def _has_crashed(known: Record) -> bool:
    return known.pid > 0 and known.stopped_by == "nobody" and known.boot_id == process.boot_id()


def _look_at_dead(seen: Observed, known: Record, directory: Path) -> Observed:
    if _has_crashed(known):
        return replace(seen, power="crashed", stopped_by="outage", detail=process.log_tail(directory / LOG, 300))
    if known.pid > 0 and known.stopped_by == "nobody":
        return replace(seen, stopped_by="outage", detail="the machine went down under it")
    return seen


def _hold(path: Path) -> int:
    """A lock that lasts as long as the process: two agents on one directory would fight over its guests."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise DriverFault(f"Another agent holds {path}; stop it first.", retry=True) from error
    return descriptor
