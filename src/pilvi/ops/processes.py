"""The processes of one cloud: what is to run, what runs, how much memory it takes."""

import contextlib
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pilvi.kernel.config import Config
from pilvi.ops import front
from pilvi.ops.files import write_file
from pilvi.ops.supervise import session_members, start_time

SERVICES: Final = ("api", "live", "agent")
ORDER: Final = ("front", *SERVICES)
STOP_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    name: str
    pid: int | None
    up_s: float
    pss_kib: int
    restarts: int
    last_exit: str


def environment() -> dict[str, str]:
    """What the processes get: nothing of the shell that happened to start the cloud."""
    kept = {name: os.environ[name] for name in ("LANG", "TZ") if name in os.environ}
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1" if not os.access(Path(__file__).parent, os.W_OK) else "",
        "MALLOC_ARENA_MAX": "2",  # Threads share heaps: tens of megabytes less per process.
        **kept,
    }


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "pilvi", *arguments]


def revision(config: Config) -> str:
    """Changes when the program or its configuration does."""
    digest = hashlib.sha256(config.paths.config.read_bytes())
    for path in sorted(Path(__file__).parents[1].rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def front_revision(config: Config) -> str:
    digest = hashlib.sha256((config.paths.run / "haproxy.cfg").read_bytes())
    for path in (config.paths.front_certificate, config.paths.run / "front-own.pem"):
        if path.exists():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def describe(config: Config) -> str:
    """The content of run/supervise.json."""
    env, config_path = environment(), str(config.paths.config)
    now = revision(config)
    entries: list[dict[str, object]] = [
        {
            "name": "front",
            "argv": front.command(config),
            "env": env,
            "revision": "1",
            "reload_revision": front_revision(config),
            "reload_signal": int(signal.SIGUSR2),
        }
    ]
    listens = {"api": str(config.paths.api_socket), "live": str(config.paths.live_socket), "agent": ""}
    entries += [
        {
            "name": name,
            "listen": listens[name],
            "argv": python(name, "--config", config_path),
            "env": env,
            "revision": now,
            "stop_timeout_s": STOP_TIMEOUT_S,
            "umask": 0o022 if name == "agent" else 0o007,  # The front's group may use the others' sockets.
        }
        for name in SERVICES
    ]
    daily = [python("renew", "--config", config_path)]
    return json.dumps({"processes": entries, "daily": daily, "daily_env": env}, indent=1) + "\n"


def write_description(config: Config) -> bool:
    return write_file(config.paths.run / "supervise.json", describe(config))


def describe_front_anew(config: Config) -> bool:
    """The front's files changed and nothing else is to: a program that was replaced meanwhile waits for `up`."""
    path = config.paths.run / "supervise.json"
    if not path.exists():
        return False  # `up` writes it.
    document = json.loads(path.read_text())
    for entry in document["processes"]:
        if entry["name"] == "front":
            entry["reload_revision"] = front_revision(config)
    return write_file(path, json.dumps(document, indent=1) + "\n")


def recorded_pid(config: Config, name: str) -> int | None:
    """The living process of a pid file."""
    try:
        pid, started = (config.paths.run / f"{name}.pid").read_text().split("\n")[:2]
    except (OSError, ValueError):
        return None
    return int(pid) if start_time(int(pid)) == started else None


def start_supervisor(config: Config) -> bool:
    """Detached, in its own session. False: one runs already, and was told to look again."""
    pid = recorded_pid(config, "supervisor")
    if pid is not None:
        os.kill(pid, signal.SIGHUP)
        return False
    with (config.paths.log / "supervisor.out").open("ab") as output:
        subprocess.Popen(
            python("supervise", str(config.cloud.state_dir)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment(),
            cwd="/",
        )
    return True


def stop_all(config: Config) -> list[str]:
    """Stops the supervisor, which stops the rest; ends what a dead supervisor left. Says what ran."""
    running = [name for name in ("supervisor", *ORDER) if recorded_pid(config, name) is not None]
    supervisor = recorded_pid(config, "supervisor")
    if supervisor is not None:
        _end(supervisor, len(ORDER) * STOP_TIMEOUT_S + 5)
    for name in reversed(ORDER):
        pid = recorded_pid(config, name)
        if pid is not None:
            _end(pid, STOP_TIMEOUT_S)
    for name in ("supervisor", *ORDER):
        (config.paths.run / f"{name}.pid").unlink(missing_ok=True)
    return running


def _end(pid: int, timeout_s: float) -> None:
    """SIGTERM, wait for the end, then SIGKILL for all of its session."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not wait_for_end(pidfd, timeout_s):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            wait_for_end(pidfd, 5)
    finally:
        os.close(pidfd)
    for member in session_members(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


def wait_for_end(pidfd: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(int(timeout_s * 1000)))


def statuses(config: Config) -> list[ProcessStatus]:
    """The supervisor and its processes, each with all of its session's memory."""
    known = supervisor_report(config)
    result = []
    for name in ("supervisor", *ORDER):
        pid = recorded_pid(config, name)
        report = known.get(name, {})
        result.append(
            ProcessStatus(
                name,
                pid,
                age_s(pid) if pid else 0.0,
                sum(map(pss_kib, session_members(pid))) if pid else 0,
                int(str(report.get("restarts", 0))),
                str(report.get("last_exit", "")),
            )
        )
    return result


def supervisor_report(config: Config) -> Mapping[str, Mapping[str, object]]:
    try:
        document = json.loads((config.paths.run / "status.json").read_text())
    except (OSError, ValueError):
        return {}
    return {entry["name"]: entry for entry in document["processes"]}


def pss_kib(pid: int) -> int:
    """The process's share of memory: pages that n processes share count 1/n."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def age_s(pid: int) -> float:
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
