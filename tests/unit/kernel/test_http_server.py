"""The server: answers at once, by tasks and by workers, in order, whatever peers do."""

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilvi.kernel import at_once, http_server, listen
from pilvi.kernel.http_connection import Environ
from pilvi.kernel.http_server import Server
from pilvi.kernel.tasks import Tasks

SOON_S = 20.0
LARGE = b"x" * 3_000_000


class Moment:
    """Counts, and holds what tasks wait for."""

    def __init__(self, rig: "Rig", tasks: Tasks) -> None:
        self.rig = rig
        self.tasks = tasks

    def __enter__(self) -> "Moment":
        self.rig.moments += 1
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Rig:
    """A server in a thread, with an application that does as the path says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.moments = 0
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.is_at_gate = False
        self.out, self.into = os.pipe()
        self.watched = False
        self.server = Server(listen.bound(path), self.application, moment=lambda t: Moment(self, t), threads=2)
        self.thread = threading.Thread(target=self.server.serve, name="loop", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.gate.set()
        self.server.stop()
        self.thread.join(SOON_S)
        assert not self.thread.is_alive()
        os.close(self.out)
        os.close(self.into)

    def application(self, environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        is_tried = environ.get(at_once.AT_ONCE, False)
        assert is_tried == (at_once.moment.get() is not None)
        if path.startswith("/work") and is_tried:
            raise at_once.MustWait
        if path.endswith("/gate"):
            self.is_at_gate = True
            self.gate.wait(SOON_S)
        if path == "/task":
            self._wait(at_once.moment.get())
        if path == "/bug":
            raise RuntimeError("a bug")
        self.threads.add(threading.current_thread().name)
        body = LARGE if path == "/large" else environ["wsgi.input"].read() or path.encode()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body]

    def _wait(self, moment: Moment) -> None:
        if not self.watched:
            self.watched = True
            moment.tasks.watch(self.out, lambda: None)
        moment.tasks.wait(self.out, SOON_S)
        os.read(self.out, 1)

    def connect(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(SOON_S)
        peer.connect(str(self.path))
        return peer


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "s.sock")
    yield made
    made.stop()


def ask(peer: socket.socket, path: str, *, close: bool = False) -> None:
    more = "Connection: close\r\n" if close else ""
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())


def answer(peer: socket.socket) -> tuple[int, bytes]:
    """Reads one byte at a time in the head, so that what follows stays for the next call."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        assert byte, f"the connection ended after {head!r}"
        head += byte
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += peer.recv(length - len(body))
    return int(head.split()[1]), body


def has_ended(peer: socket.socket) -> bool:
    return peer.recv(1) == b""


def test_what_needs_no_waiting_is_answered_by_the_loop_itself(rig: Rig) -> None:
    with rig.connect() as peer:
        for path in ("/a", "/b"):
            ask(peer, path)
            assert answer(peer) == (200, path.encode())
    assert rig.threads == {"loop"}
    assert rig.moments == 2


def test_what_must_wait_is_answered_by_a_worker(rig: Rig) -> None:
    with rig.connect() as peer:
        for path in ("/work/1", "/at-once", "/work/2"):
            ask(peer, path)
            assert answer(peer) == (200, path.encode())
    assert rig.threads > {"loop"}


def test_workers_that_wait_hold_nobody_up(rig: Rig) -> None:
    with rig.connect() as slow, rig.connect() as quick:
        ask(slow, "/work/gate")
        ask(quick, "/quick")
        assert answer(quick) == (200, b"/quick")
        rig.gate.set()
        assert answer(slow) == (200, b"/work/gate")


def test_tasks_that_wait_hold_nobody_up(rig: Rig) -> None:
    with rig.connect() as slow, rig.connect() as quick:
        ask(slow, "/task")
        ask(quick, "/quick")
        assert answer(quick) == (200, b"/quick")
        os.write(rig.into, b"x")
        assert answer(slow) == (200, b"/task")
        ask(slow, "/again")
        assert answer(slow) == (200, b"/again")


def test_what_comes_at_once_shares_a_moment(rig: Rig) -> None:
    peers = [rig.connect() for _ in range(30)]
    for peer in peers:
        ask(peer, "/x")
        assert answer(peer) == (200, b"/x")
    ask(peers[0], "/loop/gate")
    while not rig.is_at_gate:
        select.select([], [], [], 0.01)
    before = rig.moments
    for peer in peers[1:]:
        ask(peer, "/x")
    rig.gate.set()
    for peer in peers[1:]:
        assert answer(peer) == (200, b"/x")
        peer.close()
    assert rig.moments == before + 1
    peers[0].close()


def test_requests_sent_ahead_are_answered_in_order(rig: Rig) -> None:
    paths = ["/1", "/work/2", "/3", "/large", "/work/5", "/6"]
    with rig.connect() as peer:
        peer.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths))
        got = [answer(peer) for _ in paths]
    assert got == [(200, LARGE if path == "/large" else path.encode()) for path in paths]


def test_a_body_reaches_the_worker_whole_although_a_task_read_it_before(rig: Rig) -> None:
    with rig.connect() as peer:
        peer.sendall(b"POST /work/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe")
        peer.sendall(b"llo")
        assert answer(peer) == (200, b"hello")


def test_an_answer_that_nobody_reads_holds_nobody_up(rig: Rig) -> None:
    with rig.connect() as slow, rig.connect() as quick:
        for path in ("/large", "/work/after"):
            ask(slow, path)
        ask(quick, "/quick")
        assert answer(quick) == (200, b"/quick")
        assert answer(slow) == (200, LARGE)
        assert answer(slow) == (200, b"/work/after")


@pytest.mark.parametrize("path", ["/x", "/work/x", "/large"])
def test_the_last_answer_arrives_before_the_end(rig: Rig, path: str) -> None:
    with rig.connect() as peer:
        ask(peer, path, close=True)
        assert answer(peer) == (200, LARGE if path == "/large" else path.encode())
        assert has_ended(peer)


def test_nonsense_gets_an_answer_and_the_end(rig: Rig) -> None:
    with rig.connect() as peer:
        peer.sendall(b"\x00nonsense\r\n\r\n")
        assert answer(peer)[0] == 400
        assert has_ended(peer)


@pytest.mark.parametrize("path", ["/bug", "/work/../bug"])
def test_a_bug_of_the_application_is_an_answer(rig: Rig, path: str) -> None:
    with rig.connect() as peer:
        ask(peer, path)
        assert answer(peer)[0] in (200, 500)
    with rig.connect() as peer:
        ask(peer, "/x")
        assert answer(peer) == (200, b"/x")


@pytest.mark.parametrize("path", ["/large", "/work/gate", "/task", "/x"])
def test_a_peer_that_goes_in_the_middle_harms_nobody(rig: Rig, path: str) -> None:
    for _ in range(5):
        peer = rig.connect()
        ask(peer, path)
        peer.close()
        if path == "/task":
            break  # One at a time waits for the pipe.
    os.write(rig.into, b"x")
    rig.gate.set()
    with rig.connect() as peer:
        ask(peer, "/work/x")
        assert answer(peer) == (200, b"/work/x")


def test_whoever_stalls_in_the_middle_is_let_go(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "STALLED_S", 0.0)
    monkeypatch.setattr(http_server, "SWEEP_S", 0.05)
    with rig.connect() as half, rig.connect() as idle:
        half.sendall(b"GET / HTTP/1.1\r\nX: ")
        ask(idle, "/x")
        assert answer(idle)[0] == 200
        os.eventfd_write(rig.server._wake, 1)
        assert has_ended(half)
        ask(idle, "/still here")
        assert answer(idle)[0] == 400  # A space is no part of a target; the connection was there.


def test_stopping_finishes_what_is_under_way(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "s.sock")
    with rig.connect() as busy, rig.connect() as idle:
        ask(idle, "/x")
        assert answer(idle)[0] == 200
        ask(busy, "/work/gate")
        while not rig.is_at_gate:
            select.select([], [], [], 0.01)
        rig.server.stop()
        assert has_ended(idle)
        rig.gate.set()
        assert answer(busy) == (200, b"/work/gate")
        assert has_ended(busy)
        rig.stop()


def test_connections_beyond_the_limit_wait_for_a_place(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "CONNECTIONS_LIMIT", 2)
    with rig.connect() as one, rig.connect() as two, rig.connect() as three:
        for peer in (one, two):
            ask(peer, "/x")
            assert answer(peer)[0] == 200
        ask(three, "/x")
        assert select.select([three], [], [], 0.1)[0] == []
        one.close()
        assert answer(three) == (200, b"/x")
