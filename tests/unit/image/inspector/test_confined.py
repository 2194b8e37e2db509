"""Strangers' bytes are looked at in a process that can do nothing else: what it tries ends it, and the image."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilvi.image.drivers.sandbox import InspectionFailed, Sandbox
from pilvi.image.inspector import Collector, Finding, View
from tests.unit.image import samples

EVIL = """
import os, socket, sys, time
from pilvi.image.inspector import child, inspector
def judge(view):
    {does}
    return inspector.Finding("raw", view.size)
inspector.judge = judge
child.main()
"""
VIEW = View(b"x" * 600, b"x" * 600, 600)


def evil(does: str) -> Sandbox:
    """One whose parser has been taken over."""
    return Sandbox([sys.executable, "-I", "-c", EVIL.format(does=does)])


def judged(sandbox: Sandbox, content: bytes) -> Finding:
    collector = Collector(sandbox.locate)
    collector.feed(content)
    return sandbox.judge(collector.view())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()


@pytest.mark.parametrize("content", [samples.qcow2(), samples.vhdx(), samples.vmdk(), samples.vdi()])
def test_it_finds_what_the_formats_say(sandbox: Sandbox, content: bytes) -> None:
    assert judged(sandbox, content).virtual_size == 2**20


@pytest.mark.parametrize(
    "does",
    [
        'open("/etc/hostname")',
        'open("/tmp/pilvi-evil", "w")',
        'os.listdir("/")',
        "socket.socket()",
        "os.fork()",
        'os.execv("/bin/true", ["true"])',
        "os.kill(os.getppid(), 9)",
        "bytearray(1 << 30)",
        "raise MemoryError",
        "os._exit(0)",
        'view = View = None; sys.stdout.write("x"); view.size',
    ],
)
def test_what_it_must_not_do_ends_it(does: str) -> None:
    sandbox = evil(does)
    try:
        with pytest.raises(InspectionFailed, match="not accepted"):
            sandbox.judge(VIEW)
        assert sandbox.locate(b"vhdxfile") == -1, "Only the child ended."
    finally:
        sandbox.close()


def test_what_does_not_end_is_ended() -> None:
    sandbox = evil("while True: pass")
    try:
        with pytest.raises(InspectionFailed, match="more time or memory"):
            sandbox.judge(VIEW)
    finally:
        sandbox.close()


@pytest.mark.parametrize(
    "returns",
    ['inspector.Finding("raw", -1)', 'inspector.Finding("raw", 1 << 70)', 'inspector.Finding("x" * 99, 1)',
     'inspector.Finding(["raw"], 1)', 'inspector.Finding("raw", 1, "y" * 3000)', 'inspector.Finding("raw", True)'],
)  # fmt: skip
def test_a_senseless_answer_is_none(returns: str) -> None:
    sandbox = evil(f"return {returns}")
    try:
        with pytest.raises(InspectionFailed):
            sandbox.judge(VIEW)
    finally:
        sandbox.close()


def test_a_process_that_died_is_started_again(sandbox: Sandbox) -> None:
    judged(sandbox, b"x")
    process = sandbox._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert judged(sandbox, b"x" * 10) == Finding("raw", 10)
    assert sandbox._process is not process


def test_one_that_does_not_start_accepts_nothing() -> None:
    sandbox = Sandbox(["/bin/false"])
    for _ in range(3):
        with pytest.raises(InspectionFailed):
            sandbox.judge(VIEW)
    sandbox.close()


def test_many_at_a_time_get_their_own_answers(sandbox: Sandbox) -> None:
    found: dict[int, Finding] = {}

    def ask(number: int) -> None:
        found[number] = judged(sandbox, b"x" * number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 41)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {number: Finding("raw", number) for number in range(1, 41)}


def test_it_ends_with_its_parent() -> None:
    """No process stays behind when `live` is killed."""
    script = (
        "from pilvi.image.drivers.sandbox import Sandbox; from pilvi.image.inspector import View; import os;"
        "s = Sandbox(); s.judge(View(b'', b'', 0)); print(s._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    pid = int(done.stdout)
    ended = threading.Event()
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split()[2]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        ended.wait(0.05)
    pytest.fail("It is still there.")
