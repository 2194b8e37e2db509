"""Notices at once what guests do by themselves. It says only "look again": what is true is always asked for."""

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pilvi.compute.drivers.qemu.argv import EVENTS_SOCKET
from pilvi.compute.drivers.qemu.process import Process, is_alive
from pilvi.compute.drivers.qemu.qmp import Qmp, QmpFault

# Others come too often, or change nothing that is reported.
EVENTS: Final = (b'"SHUTDOWN"', b'"STOP"', b'"RESUME"', b'"GUEST_PANICKED"', b'"BLOCK_IO_ERROR"')


@dataclass(frozen=True, slots=True)
class _Followed:
    guest_id: str
    process: Process
    pidfd: int
    events: socket.socket


class Watcher:
    """One thread for all guests. A guest is followed from the first look at it until its process ends."""

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="guests", daemon=True)
        self._thread.start()

    def follow(self, guest_id: str, process: Process, directory: Path, uid: int | None) -> None:
        """Does nothing if it is followed already. A monitor that does not answer is tried at the next look."""
        with self._lock:
            known = self._followed.get(guest_id)
            if self._is_closing or (known is not None and known.process == process):
                return
        try:
            pidfd = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return
        try:
            events = Qmp(directory / EVENTS_SOCKET, uid=uid, timeout_s=2.0).detach()
        except QmpFault:
            os.close(pidfd)
            return
        with self._lock:
            former = self._followed.get(guest_id)
            if self._is_closing or not is_alive(process) or (former is not None and former.process == process):
                os.close(pidfd)
                events.close()
                return
            if former is not None:
                self._forget(former)
            self._followed[guest_id] = followed = _Followed(guest_id, process, pidfd, events)
            self._selector.register(pidfd, selectors.EVENT_READ, followed)
            self._selector.register(events, selectors.EVENT_READ, followed)
        os.write(self._wake_write, b".")

    def close(self) -> None:
        with self._lock:
            self._is_closing = True
        os.write(self._wake_write, b".")
        self._thread.join(5.0)
        with self._lock:
            for followed in list(self._followed.values()):
                self._forget(followed)
            self._selector.close()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _run(self) -> None:
        while True:
            ready = self._selector.select()
            with self._lock:
                if self._is_closing:
                    return
                changed = {guest_id for key, _ in ready if (guest_id := self._hear(key)) is not None}
            for guest_id in changed:
                self._on_change(guest_id)

    def _hear(self, key: selectors.SelectorKey) -> str | None:
        """The guest to look at, if any. Holds the lock, so only what does not wait is done here."""
        followed: _Followed | None = key.data
        if followed is None:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)
            return None
        if self._followed.get(followed.guest_id) is not followed:
            return None  # forgotten a moment ago, in this same round
        if key.fd == followed.pidfd:
            self._forget(followed)
            return followed.guest_id
        try:
            heard = followed.events.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            heard = b""
        if not heard:
            self._selector.unregister(followed.events)  # the end of the process will say the rest
            return None
        return followed.guest_id if any(event in heard for event in EVENTS) else None

    def _forget(self, followed: _Followed) -> None:
        del self._followed[followed.guest_id]
        for descriptor in (followed.pidfd, followed.events.fileno()):
            with contextlib.suppress(KeyError):
                self._selector.unregister(descriptor)
        os.close(followed.pidfd)
        followed.events.close()
