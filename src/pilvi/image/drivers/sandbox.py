"""Has strangers' bytes looked at in a process that can do nothing else. Fails closed: no answer, no image."""

import atexit
import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pilvi.image.inspector import Finding, View
from pilvi.image.inspector.child import JUDGE, LARGEST_ANSWER, LOCATE, job

ANSWER_S: Final = 20.0
"""Longer than the child's own limit of processor time, for a busy machine."""
COMMAND: Final = (sys.executable, "-I", "-m", "pilvi.image.inspector.child")
FORMAT_LENGTH, PROBLEM_LENGTH = 16, 500


class InspectionFailed(Exception):
    """The content could not be looked at; for the user."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The content could not be inspected, so it is not accepted: {why}.")


class Sandbox:
    """The process and the line to it; started when first used, and again when it is gone. Safe in many threads."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._starting = threading.Lock()

    def locate(self, head: bytes) -> int:
        """Where in the file, beyond its beginning, there is more to see; -1 for nowhere."""
        offset = self._ask(LOCATE, View(head, b"", len(head))).get("offset")
        if type(offset) is not int or offset >= 1 << 63:
            raise InspectionFailed("the inspection gave a senseless answer")
        return max(offset, -1)

    def judge(self, view: View) -> Finding:
        answer = self._ask(JUDGE, view)
        format, size, problem = answer.get("format"), answer.get("virtual_size"), answer.get("problem")
        is_sound = isinstance(format, str) and type(size) is int and isinstance(problem, str) and 0 <= size < 1 << 63
        if not is_sound or len(str(format)) > FORMAT_LENGTH or len(str(problem)) > PROBLEM_LENGTH:
            raise InspectionFailed("the inspection gave a senseless answer")
        return Finding(str(format), int(size or 0), str(problem))

    def _ask(self, what: int, view: View) -> Mapping[str, Any]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(ANSWER_S)
            self._hand_over(theirs)
            theirs.close()
            try:
                ours.sendall(job(what, view))
                ours.shutdown(socket.SHUT_WR)
                content = _read(ours)
            except TimeoutError:
                raise InspectionFailed(f"it took more than {ANSWER_S:.0f} s") from None
            except OSError:
                content = b""
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise InspectionFailed("the inspection used more time or memory than it may, or broke")
        return answer

    def _hand_over(self, theirs: socket.socket) -> None:
        with self._starting:
            for _ in range(2):
                control = self._control or self._start()
                try:
                    socket.send_fds(control, [b"j"], [theirs.fileno()])
                    return
                except OSError:
                    self._stop()
        raise InspectionFailed("the process that inspects does not start")

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(self._command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL)
        self._control = ours
        return ours

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    def close(self) -> None:
        with self._starting:
            self._stop()


def _read(connection: socket.socket) -> bytes:
    content = b""
    while len(content) <= LARGEST_ANSWER and (piece := connection.recv(LARGEST_ANSWER)):
        content += piece
    return content if len(content) <= LARGEST_ANSWER else b""


shared: Final = Sandbox()
"""One for the whole process."""


@atexit.register
def _close() -> None:
    with contextlib.suppress(OSError):
        shared.close()
