"""The process that looks at strangers' bytes: started once, it forks a child for each job, which dies with it.

Its standard input is a socket. Each message there carries one end of a connection: the job comes in by it, until the
other side ends, and the answer goes back.
"""

import json
import os
import signal
import socket
import struct
from typing import Any, Final

from pilvi.image.inspector import confine, inspector
from pilvi.image.inspector.model import View

LOCATE, JUDGE = 1, 2
HEADER: Final = struct.Struct(">BQQIII")
"""What to do, the file's size, where the window begins, and the lengths of head, tail and window, which follow."""
LARGEST_JOB: Final = 4 * 1024 * 1024
LARGEST_ANSWER: Final = 4096
READ_BYTES: Final = 256 * 1024


def job(what: int, view: View) -> bytes:
    """A job as it is sent."""
    lengths = len(view.head), len(view.tail), len(view.window)
    return HEADER.pack(what, view.size, view.window_at, *lengths) + view.head + view.tail + view.window


def do(message: bytes) -> bytes:
    """The answer to a job."""
    what, size, window_at, head, tail, _ = HEADER.unpack_from(message)
    rest = message[HEADER.size :]
    view = View(rest[:head], rest[head : head + tail], size, rest[head + tail :], window_at)
    answer: dict[str, Any]
    if what == LOCATE:
        answer = {"offset": inspector.locate(view.head)}
    else:
        found = inspector.judge(view)
        answer = {"format": found.format, "virtual_size": found.virtual_size, "problem": found.problem}
    return json.dumps(answer).encode()


def _child(connection: socket.socket) -> None:
    """One job. Nothing but its end leaves this function."""
    try:
        confine.lock_in()
        message = bytearray()
        while len(message) <= LARGEST_JOB and (piece := connection.recv(READ_BYTES)):
            message += piece
        connection.sendall(do(bytes(message)))
        os._exit(0)
    except BaseException:  # noqa: BLE001 no answer is the answer: whoever asked refuses the image
        os._exit(1)


def main() -> None:
    control = socket.socket(fileno=0)
    confine.seclude()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Ended children need no grave.
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            if os.fork() == 0:
                control.close()
                _child(connection)
            connection.close()


if __name__ == "__main__":
    main()
