"""What each process does for monitoring: it knows itself, and hands its figures out when asked.

A worker of `api` listens on `run/m-api-N.sock`, where N is the lowest number that no living worker holds. Whoever
connects gets the snapshot as one JSON document and the end of the stream: nothing is read, nothing is kept.
"""

import fcntl
import os
import socket
import threading
from pathlib import Path
from typing import Final

import orjson

from pilvi.kernel import clock, measures, metrics

SOCKETS: Final = "m-*.sock"
SEND_TIMEOUT_S: Final = 5.0
MOST_WORKERS: Final = 256
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def oneself() -> metrics.Collected:
    """This process, as the kernel sees it."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    age_s = float(Path("/proc/uptime").read_text().split()[0]) - int(fields[19]) / _TICKS_PER_S
    yield measures.PROCESS_CPU, (), (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    yield measures.PROCESS_MEMORY, (), float(int(fields[21]) * _PAGE)
    yield measures.PROCESS_START, (), round(clock.now() - age_s, 2)
    yield measures.PROCESS_THREADS, (), float(fields[17])
    yield measures.PROCESS_FILES, (), float(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 iterdir opens one more


def know_oneself() -> None:
    """Call once in a process whose figures somebody gathers."""
    if oneself not in metrics.collectors:
        metrics.collectors.append(oneself)


class Endpoint:
    """Hands this process's snapshot to whoever connects. One thread that sleeps between questions."""

    def __init__(self, run: Path, process: str) -> None:
        self._held, number = _lowest_free(run, process)
        self.path = run / f"m-{process}-{number}.sock"
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(self.path))
        self.path.chmod(0o600)
        self._socket.listen(8)

    def start(self) -> None:
        threading.Thread(target=self._serve, name="metrics", daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # Closed.
            with connection:
                connection.settimeout(SEND_TIMEOUT_S)
                try:
                    connection.sendall(orjson.dumps(metrics.snapshot()))
                except OSError:
                    continue  # Whoever asked has gone.

    def close(self) -> None:
        """For tests; a process just ends, and the next one takes its place."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.path.unlink(missing_ok=True)
        os.close(self._held)


def _lowest_free(run: Path, process: str) -> tuple[int, int]:
    """A lock that lives as long as this process, and its number."""
    for number in range(MOST_WORKERS):
        held = os.open(run / f"m-{process}-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            continue
        return held, number
    raise OSError(f"{MOST_WORKERS} workers of {process} hold their places already.")


def is_place_held(endpoint: Path) -> bool:
    """Whether a living worker has the place of this socket. One that ended for good leaves only the file."""
    try:
        lock = os.open(endpoint.with_suffix(".lock"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
