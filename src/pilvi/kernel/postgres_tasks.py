"""PostgreSQL for tasks: they wait for the server's answers without holding up their thread.

All requests of a moment share the answer to the first question (db.asked_first). One that asks more gets a session; the
beginning of a transaction, the first question again and the second go in one message. Another answer to the first by
then, and a worker begins anew. A transaction that only read is ended by the next that has the session, in its message.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import psycopg
from greenlet import getcurrent, greenlet
from psycopg import pq

from pilvi.kernel import clock
from pilvi.kernel.at_once import MustWait
from pilvi.kernel.postgres_session import READ, FirstKnown, Native, Rows, Session, native
from pilvi.kernel.tasks import Tasks

SESSIONS_MOST: Final = 4
"""Kept from the pool for tasks."""
ANSWER_S: Final = 30.0
"""The server may think so long about a question before a worker begins anew, which has the pool's patience."""
PLACE_S: Final = 0.5
"""A session is waited for so long before a worker does the work."""
OPEN_S: Final = 0.2
"""A transaction that nobody needs any more stays open so long, in case that somebody comes."""

BEGIN: Final = native(READ)
END: Final = native("rollback")
_NO_VALUES: Final[tuple[bytes | None, ...]] = ()


class Swift:
    """A session in pipeline mode, whose answers tasks wait for; one task at a time has it."""

    def __init__(self, session: Session, tasks: Tasks, lost: Callable[["Swift"], None]) -> None:
        self.session = session
        self.left_at: float | None = None
        """When the last transaction came to be of no more use; None: no transaction is open."""
        self._pgconn = session.pgconn
        self._number = session.pgconn.socket
        self._tasks = tasks
        self._lost = lost
        self._is_behind = False
        """The answer to something that nobody waited for is still to come."""
        session.pgconn.enter_pipeline_mode()
        tasks.watch(self._number, self._idle)

    def close(self) -> None:
        self._tasks.forget(self._number)
        self.session.close()

    def ask(self, *statements: tuple[Native, Sequence[bytes | None]]) -> list[Rows]:
        """The answers to statements that go in one message."""
        if self._is_behind:
            self._results()
            self._is_behind = False
        prepared: list[tuple[Native, bytes] | None] = []
        if self.left_at is not None:
            self.left_at = None
            self._send(END, _NO_VALUES, prepared)
        for statement, values in statements:
            self._send(statement, values, prepared)
        self._pgconn.pipeline_sync()
        results = self._results()
        for result in results:
            self.session.check(result)
        for made in prepared:
            if made is not None:
                self.session.keep_name(*made)
        answers = [result for result, made in zip(results, prepared, strict=True) if made is None]
        return [self.session.rows(result) for result in answers[-len(statements) :]]

    def _send(
        self, statement: Native, values: Sequence[bytes | None], prepared: list[tuple[Native, bytes] | None]
    ) -> None:
        """`prepared` tells for each result to come which statement it prepares, if any."""
        session = self.session
        name = session.name_of(statement)
        if name is None and session.has_room and session.is_worth_it(statement):
            name = session.new_name()
            self._pgconn.send_prepare(name, statement.sql)
            prepared.append((statement, name))
        prepared.append(None)
        if name is None:
            self._pgconn.send_query_params(statement.sql, values)
        else:
            self._pgconn.send_query_prepared(name, values)

    def end(self) -> None:
        """The transaction that is of no more use. Nobody waits for the answer."""
        self.left_at = None
        self._pgconn.send_query_params(END.sql, _NO_VALUES)
        self._pgconn.pipeline_sync()
        self._is_behind = True

    def _results(self) -> list[Any]:
        """Those of one message."""
        found: list[Any] = []
        while True:
            while self._pgconn.is_busy():
                try:
                    self._tasks.wait(self._number, ANSWER_S)
                except TimeoutError:
                    raise psycopg.OperationalError("the server did not answer in time") from None
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                if self._pgconn.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError("the server is gone")
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                return found
            else:
                found.append(result)

    def _idle(self) -> None:
        """Something came for which no task waits: the answer to an end, or the end of the session."""
        try:
            self._pgconn.consume_input()
            if not self._is_behind:
                self._lost(self)
            while self._is_behind and not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC:
                    self._is_behind = False
                elif self._pgconn.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError("the server is gone")
        except psycopg.Error:
            self._lost(self)


@dataclass(slots=True)
class _Waiter:
    task: greenlet
    swift: Swift | None = None


class Sessions:
    """Those that tasks have, and who waits for one. Workers lend what is `wanted` from their pool."""

    def __init__(self, give_back: Callable[[Session], None]) -> None:
        self._give_back = give_back
        self._lent: deque[Session] = deque()
        self._idle: deque[Swift] = deque()
        self._waiting: deque[_Waiter] = deque()
        self._count = 0
        self._is_tidied_later = False
        self.wanted = 0

    def lend(self, session: Session) -> None:
        """From any thread."""
        self._lent.append(session)

    def take(self, tasks: Tasks) -> Swift:
        """Raises MustWait where there is none in time."""
        while self._lent:
            self._idle.append(Swift(self._lent.popleft(), tasks, self.lose))
            self._count += 1
        if self._idle:
            return self._idle.pop()  # The one that was used last has a transaction to be ended on the way.
        if self._count < SESSIONS_MOST:
            self.wanted = SESSIONS_MOST - self._count
            raise MustWait
        waiter = _Waiter(getcurrent())
        self._waiting.append(waiter)
        try:
            tasks.park(PLACE_S)
        except TimeoutError:
            self._waiting.remove(waiter)
            raise MustWait from None
        assert waiter.swift is not None
        return waiter.swift

    def put(self, swift: Swift, tasks: Tasks) -> None:
        if not self._waiting:
            self._idle.append(swift)
            if swift.left_at is not None:
                self._tidy_later(tasks)
            return
        waiter = self._waiting.popleft()
        waiter.swift = swift
        tasks.wake(waiter.task)

    def _end_left(self, tasks: Tasks) -> None:
        """Transactions in which nobody came to take over their session."""
        self._is_tidied_later = False
        due = clock.monotonic() - OPEN_S
        for swift in list(self._idle):
            if swift.left_at is None:
                continue
            if swift.left_at > due:
                self._tidy_later(tasks)
                continue
            try:
                swift.end()
            except psycopg.Error:
                self.lose(swift)

    def _tidy_later(self, tasks: Tasks) -> None:
        if not self._is_tidied_later:
            self._is_tidied_later = True
            tasks.call_later(OPEN_S, partial(self._end_left, tasks))

    def lose(self, swift: Swift) -> None:
        """Broken: the pool makes another one."""
        if swift in self._idle:
            self._idle.remove(swift)
        self._count -= 1
        swift.close()
        self._give_back(swift.session)

    def close(self) -> None:
        for swift in self._idle:
            swift.session.close()
        for session in self._lent:
            session.close()


@dataclass(slots=True)
class _Group:
    """Those who share an answer to the first question. The leader asks it."""

    leader: greenlet
    others: list[greenlet] = field(default_factory=list)
    answer: Rows | None = None


class FirstQuestion:
    """Asked once for all who want the answer meanwhile: while one is on its way the next is not sent, and whoever comes
    joins it. So the answer that one gets was asked for after they came."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._is_asked = False
        self._next: _Group | None = None

    def answer(self, tasks: Tasks, sessions: Sessions) -> Rows:
        if not self.text:
            return []
        group = self._next
        try:
            if group is not None:
                group.others.append(getcurrent())
                tasks.park(ANSWER_S)
            else:
                group = self._next = _Group(getcurrent())
                if not self._is_asked:
                    tasks.wake_soon(group.leader)  # When all that came in this turn have joined.
                self._lead(group, tasks, sessions)
        except (TimeoutError, psycopg.Error):  # Such as before the first migration.
            raise MustWait from None
        if group.answer is None:
            raise MustWait
        return group.answer

    def _lead(self, group: _Group, tasks: Tasks, sessions: Sessions) -> None:
        try:
            tasks.park(ANSWER_S)
            self._next, self._is_asked = None, True
            with Borrowed(sessions, tasks) as swift:
                group.answer = swift.ask((native(self.text), _NO_VALUES))[0]
        finally:
            self._is_asked = False
            self._go_on(group, tasks)

    def _go_on(self, group: _Group, tasks: Tasks) -> None:
        if self._next is group:  # It waited in vain for the one before.
            self._next = None
        for task in group.others:
            tasks.wake(task)
        if self._next is not None:
            tasks.wake(self._next.leader)


class Moment:
    """What the tasks of one turn read in, and go on in for long after that turn."""

    def __init__(self, first: FirstQuestion, sessions: Sessions, tasks: Tasks) -> None:
        self.first = first
        self.sessions = sessions
        self.tasks = tasks

    def __enter__(self) -> "Moment":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Borrowed:
    """A session for a while. One that broke is not given back, and its work is begun anew by a worker."""

    def __init__(self, sessions: Sessions, tasks: Tasks) -> None:
        self._sessions = sessions
        self._tasks = tasks
        self._swift: Swift | None = None

    def __enter__(self) -> Swift:
        self._swift = self._sessions.take(self._tasks)
        return self._swift

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        assert self._swift is not None
        if isinstance(error, psycopg.OperationalError) or self._swift.session.pgconn.status != pq.ConnStatus.OK:
            self._sessions.lose(self._swift)
            raise MustWait from None
        self._sessions.put(self._swift, self._tasks)


class AtOnce(FirstKnown):
    """The database as one task sees it."""

    def __init__(self, moment: Moment) -> None:
        super().__init__(moment.first.text, moment.first.answer(moment.tasks, moment.sessions))
        self._moment = moment
        self._borrowed: Borrowed | None = None
        self._swift: Swift | None = None

    def _ask(self, statement: Native, values: Sequence[bytes | None]) -> tuple[Rows, int]:
        rows = self._begin(statement, values) if self._swift is None else self._swift.ask((statement, values))[0]
        return rows, len(rows)

    def _begin(self, statement: Native, values: Sequence[bytes | None]) -> Rows:
        self._borrowed = Borrowed(self._moment.sessions, self._moment.tasks)
        swift = self._swift = self._borrowed.__enter__()
        first = self._moment.first.text
        if not first:
            return swift.ask((BEGIN, _NO_VALUES), (statement, values))[1]
        _, again, rows = swift.ask((BEGIN, _NO_VALUES), (native(first), _NO_VALUES), (statement, values))
        if again != self._answer:
            raise MustWait  # Something was changed that both must agree on.
        return rows

    def end(self, error: BaseException | None) -> None:
        """Raises MustWait for an error that comes from a session that broke."""
        if self._borrowed is None or self._swift is None:
            return
        self._swift.left_at = clock.monotonic()
        self._borrowed.__exit__(type(error) if error else None, error, None)

    def run_many(self, sql: str, params: Sequence[Mapping[str, Any]]) -> None:
        raise MustWait

    def lock(self, name: str) -> None:
        raise MustWait
