"""The HTTP server of `api`: one thread reads every socket and answers what only reads; workers do the rest.

A turn of the loop takes in all that has come and then tries each request as a task, all in one `moment` of the
database, so what comes at once shares a look at it. What must wait for something else than the database goes to a
worker, which sends the answer itself. Why: docs/decisions/0058.
"""

import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import Any, Final

from pilvi.kernel import at_once, clock, measures, metrics
from pilvi.kernel.http_connection import Connection, Refused, Request, encode, refusal, run
from pilvi.kernel.log import logger
from pilvi.kernel.tasks import Tasks

Application = Callable[..., Iterable[bytes]]
Wire = tuple[bytes, bytes]

CONNECTIONS_LIMIT: Final = 8192
ACCEPTED_PER_TURN: Final = 64
IDLE_S: Final = 600.0
"""A connection on which nothing began is kept so long."""
STALLED_S: Final = 60.0
"""Half a request, or an answer that is not read, is waited for so long without a byte."""
LINGER_S: Final = 5.0
"""A closed connection's peer may read its last answer so long."""
SWEEP_S: Final = 5.0
STOP_S: Final = 30.0
"""Requests under way may take so long when the server is told to stop."""

_BROKEN: Final = ("500 Internal Server Error", "Something went wrong on our side.")


class Server:
    """`serve` works until `stop`, which any thread or signal handler may call."""

    def __init__(
        self,
        listener: socket.socket,
        application: Application,
        *,
        moment: Callable[[Tasks], AbstractContextManager[Any]] = nullcontext,
        threads: int = 8,
    ) -> None:
        """`moment`: what requests that are tried at once happen in (Database.moment)."""
        self._listener = listener
        self._application = application
        self._moment = moment
        self._threads = threads
        self._work: SimpleQueue[tuple[Connection, Request]] = SimpleQueue()
        self._epoll = select.epoll()
        self._tasks = Tasks(self._epoll)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._connections: dict[int, Connection] = {}
        self._again: deque[Connection] = deque()
        """Answered, and the next request is here already."""
        self._done: deque[tuple[Connection, bool]] = deque()
        """Answered by workers; whether it was the last answer. All else of a connection is the loop's alone."""
        self._is_listening = False
        self._is_stopping = False
        self._swept_at = 0.0

    def stop(self) -> None:
        """No new connections; what is under way is finished."""
        self._is_stopping = True
        os.eventfd_write(self._wake, 1)

    def serve(self) -> None:
        self._listener.setblocking(False)
        self._listen(True)
        self._epoll.register(self._wake, select.EPOLLIN)
        for number in range(self._threads):
            threading.Thread(target=self._worker, name=f"request-{number}", daemon=True).start()
        metrics.collectors.append(self._figures)
        while not self._is_stopping:
            self._turn(SWEEP_S)
        self._finish()

    def _figures(self) -> metrics.Collected:
        yield measures.REQUESTS_WAITING, (), float(self._work.qsize())
        yield measures.CONNECTIONS, (), float(len(self._connections))

    def _finish(self) -> None:
        self._listen(False)
        ends_at = clock.monotonic() + STOP_S
        while clock.monotonic() < ends_at:
            self._turn(0.05)  # What was sent before the peer knew is answered, too.
            for connection in list(self._connections.values()):
                if not (connection.is_in_work or connection.out or connection.requests or connection.has_begun):
                    self._close(connection)
            if not self._connections:
                break

    # -- one turn --------------------------------------------------------------------------------------------------

    def _turn(self, wait_s: float) -> None:
        events = self._epoll.poll(0 if self._again else self._tasks.sweep_s or wait_s)
        now = clock.monotonic()
        while self._done:
            connection, is_last = self._done.popleft()
            connection.since = now
            self._settle(connection, is_last=is_last)
        ready: list[Connection] = []
        while self._again:
            ready.append(self._again.popleft())
        for number, event in events:
            found = self._connections.get(number)
            if found is not None and found.is_in_work:
                self._unwatch(found)  # It can wait until it has its answer.
            elif found is not None:
                found.since = now
                self._take(found, event, ready)
            elif number == self._wake:
                os.eventfd_read(self._wake)
            elif number == self._listener.fileno():
                self._accept(now)
            else:
                self._tasks.has_come(number)
        if ready:
            with self._moment(self._tasks) as moment:
                for connection in ready:
                    self._answer(connection, moment)
        self._tasks.go_on()
        if now - self._swept_at > SWEEP_S:
            self._swept_at = now
            self._sweep(now)
        self._tasks.sweep(now)

    def _accept(self, now: float) -> None:
        for _ in range(ACCEPTED_PER_TURN):
            if len(self._connections) >= CONNECTIONS_LIMIT:
                self._listen(False)
                return
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # Such as no file descriptors left.
                logger("api").warning("server.cannot_accept", error=str(error))
                self._listen(False)
                return
            sock.setblocking(False)
            connection = self._connections[sock.fileno()] = Connection(sock, now)
            self._watch(connection, select.EPOLLIN)

    def _listen(self, does: bool) -> None:
        """Or leave it to the backlog for a while."""
        if does == self._is_listening or (does and self._is_stopping):
            return
        self._is_listening = does
        if does:
            self._epoll.register(self._listener.fileno(), select.EPOLLIN | select.EPOLLEXCLUSIVE)
        else:
            self._epoll.unregister(self._listener.fileno())

    def _take(self, connection: Connection, event: int, ready: list[Connection]) -> None:
        """Read what came, or send on what the peer did not take; whoever has a whole request is `ready`."""
        if connection.out is not None:
            if event & (select.EPOLLHUP | select.EPOLLERR):
                connection.is_broken = True
            elif connection.send_more():
                self._is_sent(connection)
        elif not connection.is_broken:
            try:
                connection.is_broken = not connection.receive()
            except Refused as error:
                connection.requests.clear()
                self._send(connection, refusal(*error.args), is_last=True)
        if connection.is_broken:
            self._close(connection)
        elif connection.requests and connection.out is None:
            ready.append(connection)

    def _answer(self, connection: Connection, moment: Any) -> None:
        if connection.is_in_work or connection.is_broken or not connection.requests:
            return  # It stood in the row twice, or has gone.
        connection.is_in_work = True
        self._tasks.run(self._try, connection, connection.requests.popleft(), moment)

    def _try(self, connection: Connection, request: Request, moment: Any) -> None:
        """A task: answer at once if that can be; else a worker has the connection until it has answered."""
        at_once.moment.set(moment)
        environ = request.fresh_environ()
        environ[at_once.AT_ONCE] = True
        try:
            wire = self._run(request, environ)
        except at_once.MustWait:
            self._work.put((connection, request))
            return
        self._send(connection, wire, is_last=request.is_last)

    def _run(self, request: Request, environ: dict[str, Any]) -> Wire:
        is_last = request.is_last or self._is_stopping
        try:
            answered, body = run(self._application, environ)
            return encode(answered, body, method=environ["REQUEST_METHOD"], is_last=is_last)
        except Exception as error:  # noqa: BLE001 applications catch their own; whatever comes here must not end the server
            logger("api").exception("server.failed", path=environ["PATH_INFO"], error=repr(error))
            return refusal(*_BROKEN)

    def _worker(self) -> None:
        while True:
            connection, request = self._work.get()
            wire = self._run(request, request.fresh_environ())
            connection.send(*wire)
            self._done.append((connection, request.is_last))
            os.eventfd_write(self._wake, 1)

    def _send(self, connection: Connection, wire: Wire, *, is_last: bool) -> None:
        connection.send(*wire)
        self._settle(connection, is_last=is_last)

    def _settle(self, connection: Connection, *, is_last: bool) -> None:
        """An answer is on its way: for the next request, or the end."""
        connection.is_in_work = False
        is_last = is_last or self._is_stopping
        if connection.out is not None:
            connection.is_closing = is_last
            self._watch(connection, select.EPOLLOUT)
            return
        if is_last:
            connection.finish()
        elif connection.requests:
            self._again.append(connection)  # In a moment that begins after it came.
        self._watch(connection, select.EPOLLIN)

    def _is_sent(self, connection: Connection) -> None:
        """The peer has the whole of an answer that it took in pieces."""
        self._settle(connection, is_last=connection.is_closing)

    # -- the epoll -------------------------------------------------------------------------------------------------

    def _watch(self, connection: Connection, events: int) -> None:
        former, connection.watched = connection.watched, events
        if not former:
            self._epoll.register(connection.sock.fileno(), events)
        elif former != events:
            self._epoll.modify(connection.sock.fileno(), events)

    def _unwatch(self, connection: Connection) -> None:
        if connection.watched:
            connection.watched = 0
            self._epoll.unregister(connection.sock.fileno())

    # -- ends ------------------------------------------------------------------------------------------------------

    def _sweep(self, now: float) -> None:
        self._listen(True)
        for connection in list(self._connections.values()):
            if connection.is_in_work:
                continue
            limit_s = IDLE_S
            if connection.has_begun or connection.out is not None:
                limit_s = STALLED_S
            elif connection.is_closing:
                limit_s = LINGER_S
            if now - connection.since > limit_s:
                self._close(connection)

    def _close(self, connection: Connection) -> None:
        connection.is_broken = True
        del self._connections[connection.sock.fileno()]
        connection.sock.close()  # Which takes it out of the epoll, too.
        self._listen(True)
