"""Keeps a cloud's processes running: starts them, starts them again when they die, stops them in order.

Standard library only and few modules of it (no pathlib): this process stays small. It knows nothing of the cloud but
run/supervise.json, which `up` writes. When it dies itself, the processes go on; the next one adopts them by
their pid files. SIGHUP: read the file again. SIGTERM: stop everything, last started first.
"""

import errno
import fcntl
import json
import os
import select
import signal
import sys
import time
from _socket import AF_UNIX, SOCK_STREAM, socket  # The public module costs a megabyte.
from dataclasses import dataclass, field
from typing import Any, Final

SHORTEST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
STEADY_S: Final = 30.0  # Alive this long: the next death starts with the shortest pause again.
BACKLOG: Final = 1024
DAY_S: Final = 24 * 3600.0
OUTPUT_BYTES: Final = 1024 * 1024  # What a process printed outside its log, kept at most.


@dataclass
class Wanted:
    """One process, as `up` describes it."""

    name: str
    argv: list[str]
    env: dict[str, str]
    revision: str  # Another revision: the running process is old and is replaced.
    stop_timeout_s: float = 10.0
    reload_revision: str = ""  # Another one of these: the process gets `reload_signal`.
    reload_signal: int = 0
    umask: int = 0o022
    listen: str = ""  # A unix socket that is kept open over restarts and handed over as systemd would.


@dataclass
class Running:
    pid: int
    started: str  # The kernel's start time of the pid, so that another process with its number is not taken for it.
    revision: str
    reload_revision: str
    pidfd: int
    since: float


@dataclass
class Slot:
    """What is wanted and what is there under one name."""

    wanted: Wanted
    running: Running | None = None
    pause_s: float = SHORTEST_PAUSE_S
    start_at: float = 0.0
    restarts: int = 0
    last_exit: str = ""


def start_time(pid: int) -> str | None:
    """Boot and clock tick of a process's start; None when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else f"{boot_id()}/{fields[19]}"


def boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def session_members(session: int) -> list[int]:
    """All processes of a session, dead leaders' too."""
    members = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            members.append(int(name))
    return members


def kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def send(pidfd: int, number: int) -> None:
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return  # Dead already; whoever waits for its end sees it.


def write_atomically(path: str, text: str) -> None:
    scratch = f"{path}.{os.getpid()}"
    with open(scratch, "w", opener=lambda p, flags: os.open(p, flags | os.O_CLOEXEC, 0o600)) as file:
        file.write(text)
    os.replace(scratch, path)


@dataclass
class Supervisor:
    run_dir: str
    log_dir: str
    slots: dict[str, Slot] = field(default_factory=dict)
    sockets: dict[str, socket] = field(default_factory=dict)
    daily: list[list[str]] = field(default_factory=list)
    daily_env: dict[str, str] = field(default_factory=dict)
    next_daily: float = 0.0
    stopping: bool = False
    reread: bool = True
    _status: str = ""

    # What is wanted.

    def read(self) -> None:
        """Takes up run/supervise.json. A name that is no longer in it is stopped."""
        self.reread = False
        with open(f"{self.run_dir}/supervise.json") as file:
            document: dict[str, Any] = json.load(file)
        wanted = {entry["name"]: Wanted(**entry) for entry in document["processes"]}
        self.daily, self.daily_env = document.get("daily", []), document.get("daily_env", {})
        if not self.next_daily:
            self.next_daily = time.monotonic() + DAY_S
        for name in [name for name in self.slots if name not in wanted]:
            self.stop(self.slots.pop(name))
        for name, entry in wanted.items():
            if name in self.slots:
                self.slots[name].wanted = entry
            else:
                self.slots[name] = Slot(entry, running=self.adopt(name))
            self.renew(self.slots[name])

    def adopt(self, name: str) -> Running | None:
        """The process of the last supervisor, if it still lives."""
        try:
            with open(f"{self.run_dir}/{name}.pid") as file:
                pid, started, revision, reload_revision = file.read().split("\n")[:4]
        except (OSError, ValueError):
            return None
        if start_time(int(pid)) != started:
            if started.split("/")[0] == boot_id() and int(pid) not in (left := session_members(int(pid))):
                kill(left)  # What the dead process left in its session holds its sockets.
            return None
        return Running(int(pid), started, revision, reload_revision, os.pidfd_open(int(pid)), time.monotonic())

    def renew(self, slot: Slot) -> None:
        """A process of another revision is replaced, one with another file is told to read it."""
        running, wanted = slot.running, slot.wanted
        if running is None:
            return
        if running.revision != wanted.revision:
            self.stop(slot)
            slot.start_at, slot.pause_s = 0.0, SHORTEST_PAUSE_S
        elif wanted.reload_signal and running.reload_revision != wanted.reload_revision:
            send(running.pidfd, wanted.reload_signal)
            running.reload_revision = wanted.reload_revision
            self.write_pid_file(wanted.name, running.pid, running.started, running.revision, running.reload_revision)

    # Starting and dying.

    def start(self, slot: Slot) -> None:
        wanted = slot.wanted
        self.bound_output(wanted.name)
        listener = self.listener(wanted.listen) if wanted.listen else None
        pid = os.fork()
        if pid == 0:
            self.become(wanted, listener)
        started = start_time(pid) or ""
        slot.running = Running(
            pid, started, wanted.revision, wanted.reload_revision, os.pidfd_open(pid), time.monotonic()
        )

    def listener(self, path: str) -> socket:
        """Connections wait in it while the process behind it is being started."""
        if path not in self.sockets or not os.path.exists(path):
            remove(path)
            listener = socket(AF_UNIX, SOCK_STREAM)
            listener.bind(path)
            os.chmod(path, 0o660)  # The group is that of the directory: the front's.
            listener.listen(BACKLOG)
            self.sockets[path] = listener
        return self.sockets[path]

    def become(self, wanted: Wanted, listener: socket | None) -> None:
        """In the child: own session, own output file, clean signals, then the program. Never returns."""
        try:
            os.setsid()
            # The child itself records its number: no instant exists at which it runs unrecorded.
            pid = os.getpid()
            self.write_pid_file(wanted.name, pid, start_time(pid) or "", wanted.revision, wanted.reload_revision)
            null = os.open(os.devnull, os.O_RDONLY)
            output = os.open(f"{self.log_dir}/{wanted.name}.out", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            for target, source in ((0, null), (1, output), (2, output)):
                os.dup2(source, target)
            environment = dict(wanted.env)
            if listener is not None:
                os.dup2(listener.fileno(), 3)
                os.set_inheritable(3, True)
                environment |= {"LISTEN_FDS": "1", "LISTEN_PID": str(pid)}
            os.closerange(3 if listener is None else 4, 256)
            os.umask(wanted.umask)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.chdir("/")
            os.execve(wanted.argv[0], wanted.argv, environment)
        except BaseException as error:  # noqa: BLE001 - anything here must end this child, not run the parent's code.
            os.write(2, f"pilvi: cannot start {wanted.name}: {error}\n".encode())
        finally:
            os._exit(127)

    def write_pid_file(self, name: str, pid: int, started: str, revision: str, reload_revision: str) -> None:
        write_atomically(f"{self.run_dir}/{name}.pid", f"{pid}\n{started}\n{revision}\n{reload_revision}\n")

    def bury(self, slot: Slot) -> None:
        """The process died. What is left of its session goes too: a half-dead service holds sockets."""
        running = slot.running
        assert running is not None
        slot.last_exit = reap(running.pid)
        kill(session_members(running.pid))
        os.close(running.pidfd)
        slot.running = None
        now = time.monotonic()
        if now - running.since > STEADY_S:
            slot.pause_s = SHORTEST_PAUSE_S
        slot.start_at = now + slot.pause_s
        slot.pause_s = min(slot.pause_s * 2, LONGEST_PAUSE_S)
        slot.restarts += 1

    def stop(self, slot: Slot) -> None:
        """SIGTERM, a bounded wait, then SIGKILL for the whole session."""
        running, slot.running = slot.running, None
        if running is None:
            return
        send(running.pidfd, signal.SIGTERM)
        poll = select.poll()
        poll.register(running.pidfd, select.POLLIN)
        poll.poll(int(slot.wanted.stop_timeout_s * 1000))
        kill(session_members(running.pid))
        poll.poll(5000)
        slot.last_exit = reap(running.pid)
        os.close(running.pidfd)
        remove(f"{self.run_dir}/{slot.wanted.name}.pid")

    # The loop.

    def turn(self) -> float:
        """Starts what is due; returns how long to wait for the next event."""
        now = time.monotonic()
        waits = [60.0]
        for slot in self.slots.values():
            if slot.running is None and slot.start_at <= now:
                self.start(slot)
            elif slot.running is None:
                waits.append(slot.start_at - now)
        if now >= self.next_daily:
            self.next_daily = now + DAY_S
            self.run_daily()
        for slot in self.slots.values():
            self.bound_output(slot.wanted.name)
        self.write_status()
        return max(0.0, min(waits))

    def run_daily(self) -> None:
        for argv in self.daily:
            os.posix_spawn(argv[0], argv, self.daily_env, setsid=True)

    def bound_output(self, name: str) -> None:
        """Our processes log elsewhere; what they print anyway must not fill the disk."""
        path = f"{self.log_dir}/{name}.out"
        try:
            if os.stat(path).st_size > OUTPUT_BYTES:
                with open(path, "rb") as file:
                    file.seek(-OUTPUT_BYTES // 4, os.SEEK_END)
                    tail = file.read()
                with open(f"{path}.1", "wb") as file:
                    file.write(tail)
                os.truncate(path, 0)
        except OSError as error:
            if error.errno != errno.ENOENT:
                os.write(2, f"pilvi: {path}: {error}\n".encode())

    def write_status(self) -> None:
        text = json.dumps({"supervisor": os.getpid(), "stopping": self.stopping, "processes": self.describe()})
        if text != self._status:
            write_atomically(f"{self.run_dir}/status.json", text)
            self._status = text

    def describe(self) -> list[dict[str, object]]:
        return [
            {
                "name": name,
                "pid": slot.running.pid if slot.running else None,
                "restarts": slot.restarts,
                "last_exit": slot.last_exit,
            }
            for name, slot in self.slots.items()
        ]

    def stop_all(self) -> None:
        self.stopping = True
        self.write_status()
        for slot in reversed(self.slots.values()):
            self.stop(slot)
        for path in self.sockets:
            remove(path)
        remove(f"{self.run_dir}/status.json")

    def run(self) -> None:
        wake = open_wake_pipe(self)
        while not self.stopping:
            if self.reread:
                self.read()
            wait_s = self.turn()
            poll = select.poll()
            poll.register(wake, select.POLLIN)
            alive = {slot.running.pidfd: slot for slot in self.slots.values() if slot.running}
            for fd in alive:
                poll.register(fd, select.POLLIN)
            for fd, _event in poll.poll(int(wait_s * 1000) + 1):
                if fd == wake:
                    os.read(wake, 4096)
                else:
                    self.bury(alive[fd])
            reap_strangers(set(alive_pids(self)))
        self.stop_all()


def alive_pids(supervisor: Supervisor) -> list[int]:
    return [slot.running.pid for slot in supervisor.slots.values() if slot.running]


def reap(pid: int) -> str:
    """How a child ended, in words. An adopted process is nobody's child here: its end stays unknown."""
    try:
        _pid, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return "unknown"
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit {code}"


def reap_strangers(known: set[int]) -> None:
    """Ends the daily jobs' zombies; a known child's end is `bury`'s to read."""
    while True:
        try:
            result = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if result is None or result.si_pid in known:
            return
        os.waitpid(result.si_pid, 0)


def remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def open_wake_pipe(supervisor: Supervisor) -> int:
    """Signals end the wait at once, whenever they come."""
    read_fd, write_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)

    def stop(_number: int, _frame: object) -> None:
        supervisor.stopping = True

    def reread(_number: int, _frame: object) -> None:
        supervisor.reread = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, reread)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return read_fd


def main(argv: list[str]) -> int:
    """`pilvi supervise STATE_DIR`: stays in the foreground; `up` detaches it."""
    state_dir = argv[0]
    run_dir = f"{state_dir}/run"
    lock = os.open(f"{run_dir}/supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write("pilvi: a supervisor runs already\n")
        return 0
    pid = os.getpid()
    write_atomically(f"{run_dir}/supervisor.pid", f"{pid}\n{start_time(pid)}\n\n\n")
    Supervisor(run_dir, f"{state_dir}/log").run()
    remove(f"{run_dir}/supervisor.pid")
    return 0
