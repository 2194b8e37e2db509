"""Processes that outlive the agent: started in their own session, told apart by pid and start time, killed by pidfd."""

import contextlib
import os
import select
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pilvi.compute.drivers.protocol import DriverFault, Usage

KILL_TIMEOUT_S: Final = 20.0
MOST_LOG_BYTES: Final = 1024 * 1024
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")

_children: dict[int, "subprocess.Popen[bytes]"] = {}  # those of this process, to be reaped; survivors are init's
_children_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    start_ticks: int


def start(
    argv: Sequence[str], *, directory: Path, uid: int | None, log: Path, pass_fds: Sequence[int], groups: Sequence[int]
) -> Process:
    """Starts it in `directory` as `uid` (None: as we are). It holds nothing of ours but the descriptors handed over."""
    identity: dict[str, object] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": list(groups)}
    # Append mode, so that a log that grows can be cut from outside.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
    with os.fdopen(os.open(log, flags, 0o600), "ab") as output:
        try:
            child = subprocess.Popen(  # type: ignore[call-overload]
                list(argv),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
                umask=0o077,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                **identity,
            )
        except OSError as error:
            raise DriverFault(f"{argv[0]} cannot be started: {error.strerror}.", retry=True) from error
    bury_ended()
    with _children_lock:
        _children[child.pid] = child
    return Process(child.pid, _start_ticks(child.pid) or 0)


def is_alive(process: Process) -> bool:
    _reap(process.pid)
    return process.pid > 0 and process.start_ticks > 0 and _start_ticks(process.pid) == process.start_ticks


def kill(process: Process, *, timeout_s: float = KILL_TIMEOUT_S) -> None:
    """Nothing of it runs afterwards."""
    if not is_alive(process):
        return
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if is_alive(process):  # asked again: now that we hold it, the pid cannot become another's
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            gone, _, _ = select.select([descriptor], [], [], timeout_s)
            if not gone:
                raise DriverFault(f"Process {process.pid} does not die; its disk or network may hang.", retry=True)
    finally:
        os.close(descriptor)
        _reap(process.pid)


def wait_gone(process: Process, timeout_s: float) -> bool:
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        select.select([descriptor], [], [], timeout_s if is_alive(process) else 0)
    finally:
        os.close(descriptor)
    return not is_alive(process)


def find(directory: Path, word: str) -> list[Process]:
    """Live processes in this working directory with this word on their command line: those that a crash of ours kept
    from being recorded."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() != directory:
                continue
            words = (entry / "cmdline").read_bytes().split(b"\0")
            ticks = _start_ticks(int(entry.name))
            if word.encode() in words and ticks is not None:
                found.append(Process(int(entry.name), ticks))
    return found


def usage(process: Process) -> Usage | None:
    """What a process has used; None when it is gone. Disks: what really went to and came from them."""
    try:
        fields = Path("/proc", str(process.pid), "stat").read_text().rpartition(")")[2].split()
        lines = Path("/proc", str(process.pid), "io").read_text().splitlines()
    except OSError:
        return None
    if int(fields[19]) != process.start_ticks or fields[0] in ("Z", "X"):
        return None
    io = dict(line.split(": ") for line in lines)
    return Usage(
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS_PER_S,
        memory_bytes=int(fields[21]) * _PAGE,
        read_bytes=int(io["read_bytes"]),
        written_bytes=int(io["write_bytes"]),
    )


def boot_id() -> str:
    """Changes when the machine starts anew."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def bound_log(log: Path) -> None:
    """What a guest can make its hypervisor say must not fill the disk."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > MOST_LOG_BYTES:
            os.truncate(log, 0)


def log_tail(log: Path, max_bytes: int = 1000) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - max_bytes))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""


def _reap(pid: int) -> None:
    with _children_lock:
        child = _children.get(pid)
        if child is not None and child.poll() is not None:
            del _children[pid]


def bury_ended() -> bool:
    """Those go that ended when nobody asked for them, or were asked for between their end and that of their threads.
    True if no child is left."""
    with _children_lock:
        for pid in [pid for pid, child in _children.items() if child.poll() is not None]:
            del _children[pid]
        return not _children


def _start_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat, or None for a process that is gone or a zombie. The name may hold spaces and ')'."""
    try:
        text = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])
