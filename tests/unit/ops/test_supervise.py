"""The supervisor with real, tiny processes: what it promises about death, adoption, replacement and memory."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilvi.ops import processes
from pilvi.ops.supervise import session_members, start_time

SLEEPER = ["/bin/sleep", "1000"]


class Rig:
    """One supervisor in a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("run", "log"):
            (root / name).mkdir()
        self.supervisor: subprocess.Popen[bytes] | None = None

    def describe(self, *entries: dict[str, Any]) -> None:
        common = {"env": {"PATH": "/usr/bin:/bin"}, "revision": "1", "stop_timeout_s": 2.0}
        document = {"processes": [common | entry for entry in entries]}
        (self.root / "run" / "supervise.json").write_text(json.dumps(document))

    def start(self) -> None:
        argv = [sys.executable, "-P", "-m", "pilvi", "supervise", str(self.root)]
        self.supervisor = subprocess.Popen(argv, start_new_session=True)

    def again(self) -> None:
        assert self.supervisor is not None
        self.supervisor.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        assert self.supervisor is not None
        self.supervisor.kill()
        self.supervisor.wait(10)

    def stop(self) -> None:
        assert self.supervisor is not None
        self.supervisor.terminate()
        self.supervisor.wait(30)

    def pid(self, name: str) -> int | None:
        try:
            pid, started = (self.root / "run" / f"{name}.pid").read_text().split("\n")[:2]
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None

    def status(self, name: str) -> Any:
        path = self.root / "run" / "status.json"
        wait_for(path.exists)
        document = json.loads(path.read_text())
        return next(entry for entry in document["processes"] if entry["name"] == name)

    def wait_pid(self, name: str, *, other_than: int | None = None) -> int:
        pid = wait_for(lambda: self.pid(name) if self.pid(name) != other_than else None)
        assert isinstance(pid, int)
        return pid


def wait_for(condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("It did not happen in time.")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    if rig.supervisor is not None and rig.supervisor.poll() is None:
        rig.stop()
    for path in (tmp_path / "run").glob("*.pid"):
        pid = int(path.read_text().split("\n")[0])
        if start_time(pid) == path.read_text().split("\n")[1]:
            os.kill(pid, signal.SIGKILL)


def test_a_killed_process_comes_back(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": SLEEPER})
    rig.start()
    first = rig.wait_pid("a")
    os.kill(first, signal.SIGKILL)
    assert rig.wait_pid("a", other_than=first) != first


def test_what_a_dead_process_left_in_its_session_goes_too(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": ["/bin/sh", "-c", "sleep 1000 & wait"]})
    rig.start()
    leader = rig.wait_pid("a")
    child = wait_for(lambda: [pid for pid in session_members(leader) if pid != leader])[0]
    os.kill(leader, signal.SIGKILL)
    rig.wait_pid("a", other_than=leader)
    wait_for(lambda: start_time(child) is None)


def test_a_process_that_dies_at_once_is_started_ever_more_rarely(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": ["/bin/false"]}, {"name": "b", "argv": SLEEPER})
    rig.start()
    rig.wait_pid("b")
    wait_for(lambda: rig.status("a")["restarts"] >= 3)
    time.sleep(1.0)
    status = rig.status("a")
    assert status["restarts"] <= 8  # The next pauses are 0.4, 0.8, 1.6, 3.2 and 5 s; without them it were a dozen.
    assert status["last_exit"] == "exit 1"


def test_a_program_that_does_not_exist_is_reported_in_its_output(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": ["/nowhere/program"]})
    rig.start()
    output = rig.root / "log" / "a.out"
    assert "No such file" in wait_for(lambda: output.exists() and output.read_text())


def test_a_new_supervisor_adopts_what_runs(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": SLEEPER})
    rig.start()
    first = rig.wait_pid("a")
    rig.kill()
    assert rig.pid("a") == first
    rig.start()
    wait_for(lambda: (rig.root / "run" / "supervisor.pid").read_text().split("\n")[0] == str(rig.supervisor.pid))  # type: ignore[union-attr]
    time.sleep(0.3)
    assert rig.pid("a") == first
    os.kill(first, signal.SIGKILL)
    assert rig.wait_pid("a", other_than=first)


def test_another_revision_replaces_the_process_and_the_same_one_does_not(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": SLEEPER})
    rig.start()
    first = rig.wait_pid("a")
    rig.again()
    time.sleep(0.3)
    assert rig.pid("a") == first
    rig.describe({"name": "a", "argv": SLEEPER, "revision": "2"})
    rig.again()
    assert rig.wait_pid("a", other_than=first) != first


def test_another_file_sends_the_signal_once(rig: Rig, tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = f"trap 'echo again >> {said}' USR2; echo up >> {said}; while :; do sleep 0.05; done"
    entry = {"name": "a", "argv": ["/bin/sh", "-c", script], "reload_signal": int(signal.SIGUSR2)}
    rig.describe(entry | {"reload_revision": "1"})
    rig.start()
    first = rig.wait_pid("a")
    wait_for(said.exists)
    for _ in range(2):
        rig.describe(entry | {"reload_revision": "2"})
        rig.again()
        wait_for(lambda: "again" in said.read_text())
    time.sleep(0.3)
    assert said.read_text() == "up\nagain\n"
    assert rig.pid("a") == first


def test_a_name_that_is_no_longer_wanted_is_stopped(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": SLEEPER}, {"name": "b", "argv": SLEEPER})
    rig.start()
    second = rig.wait_pid("b")
    rig.describe({"name": "a", "argv": SLEEPER})
    rig.again()
    wait_for(lambda: start_time(second) is None)


def test_stopping_ends_everything_even_what_ignores_the_signal(rig: Rig) -> None:
    stubborn = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]
    rig.describe({"name": "a", "argv": SLEEPER}, {"name": "b", "argv": stubborn, "stop_timeout_s": 0.5})
    rig.start()
    pids = [rig.wait_pid("a"), rig.wait_pid("b")]
    time.sleep(0.2)
    rig.stop()
    assert [start_time(pid) for pid in pids] == [None, None]
    assert not list((rig.root / "run").glob("*.pid"))


def test_a_second_supervisor_leaves_at_once(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": SLEEPER})
    rig.start()
    first = rig.wait_pid("a")
    argv = [sys.executable, "-P", "-m", "pilvi", "supervise", str(rig.root)]
    assert subprocess.run(argv, timeout=20, capture_output=True, check=False).returncode == 0
    assert rig.pid("a") == first


def test_the_supervisor_is_small(rig: Rig) -> None:
    rig.describe({"name": "a", "argv": SLEEPER})
    rig.start()
    rig.wait_pid("a")
    assert rig.supervisor is not None
    assert processes.pss_kib(rig.supervisor.pid) < 15 * 1024
