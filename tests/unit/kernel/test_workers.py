"""Processes that do the same work: replaced when they end, ended together."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOON_S = 30.0
PROGRAM = """
import os, pathlib, signal, sys
from pilvi.kernel import workers

def work():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    pathlib.Path(sys.argv[1], str(os.getpid())).touch()
    signal.pause()

workers.PAUSE_S = 0.01
workers.keep(2, work)
"""


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)])
    yield process
    if process.poll() is None:
        process.terminate()
    process.wait(SOON_S)


def pids(folder: Path, count: int) -> set[int]:
    """Of all that were ever started, once there are so many."""
    for _ in range(int(SOON_S / 0.02)):
        found = {int(path.name) for path in folder.iterdir()}
        if len(found) >= count:
            return found
        select.select([], [], [], 0.02)
    raise AssertionError("too few were started")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_that_ends_is_replaced_and_all_end_together(keeper: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    first = pids(tmp_path, 2)
    os.kill(min(first), signal.SIGKILL)
    everyone = pids(tmp_path, 3)
    keeper.terminate()
    assert keeper.wait(SOON_S) == 0
    assert not any(is_alive(pid) for pid in everyone)
