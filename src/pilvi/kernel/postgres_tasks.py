"""PostgreSQL for tasks: they wait for the server's answers without holding up their thread.

All requests of a moment share the answer to the first question (db.asked_first). One that asks more gets a session with
a transaction, and the first question again at its beginning: another answer by then, and a worker begins anew.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from greenlet import getcurrent, greenlet
from psycopg import pq

from pilvi.kernel.at_once import MustWait
from pilvi.kernel.postgres_session import READ, Rows, Session, native, text_of, told
from pilvi.kernel.tasks import Tasks

SESSIONS_MOST: Final = 4
"""Kept from the pool for tasks."""
ANSWER_S: Final = 30.0
"""The server may think so long about a question before a worker begins anew, which has the pool's patience."""
PLACE_S: Final = 0.5
"""A session is waited for so long before a worker does the work."""


class Swift:
    """A session whose answers tasks wait for; one task at a time has it."""

    def __init__(self, session: Session, tasks: Tasks, lost: Callable[["Swift"], None]) -> None:
        self.session = session
        self._pgconn = session.pgconn
        self._number = session.pgconn.socket
        self._tasks = tasks
        self._lost = lost
        self._is_behind = False
        """The answer to something that nobody waited for is still to come."""
        tasks.watch(self._number, self._idle)

    def close(self) -> None:
        self._tasks.forget(self._number)
        self.session.close()

    def word(self, text: str) -> Rows:
        """Statements without values; the answer to the last of them."""
        self._catch_up()
        self._pgconn.send_query(text.encode())
        return self.session.rows(self._answer())

    def ask(self, sql: str, params: Any) -> tuple[Rows, int]:
        statement = native(sql)
        with told():
            values = [text_of(params[name]) for name in statement.names]
            self._catch_up()
            name = self.session.name_of(statement)
            if name is None and self.session.is_worth_it(statement):
                name = self.session.new_name()
                self._pgconn.send_prepare(name, statement.sql)
                self._answer()
                self.session.keep_name(statement, name)
            if name is not None:
                self._pgconn.send_query_prepared(name, values)
            else:
                self._pgconn.send_query_params(statement.sql, values)
            rows = self.session.rows(self._answer())
        return rows, len(rows)

    def leave(self) -> None:
        """The transaction is over. Nobody waits for the answer."""
        self._catch_up()
        self._pgconn.send_query(b"rollback")
        self._is_behind = True

    def _answer(self) -> Any:
        """The last result of what was sent. Raises what the server says, and MustWait when it says nothing."""
        found = failed = None
        while True:
            self._wait()
            result = self._pgconn.get_result()
            if result is None:
                break
            found = result
            if failed is None and result.status == pq.ExecStatus.FATAL_ERROR:
                failed = result
        self.session.check(failed or found)
        return found

    def _wait(self) -> None:
        while self._pgconn.is_busy():
            try:
                self._tasks.wait(self._number, ANSWER_S)
            except TimeoutError:
                raise psycopg.OperationalError("the server did not answer in time") from None
            self._pgconn.consume_input()

    def _catch_up(self) -> None:
        if self._is_behind:
            self._is_behind = False
            self._answer()

    def _idle(self) -> None:
        """Something came for which no task waits: that answer, or the end of the session."""
        try:
            self._pgconn.consume_input()
            if self._is_behind and not self._pgconn.is_busy():
                self._catch_up()
            is_lost = not self._is_behind and self._pgconn.transaction_status != pq.TransactionStatus.IDLE
        except psycopg.Error:
            is_lost = True
        if is_lost or self._pgconn.status != pq.ConnStatus.OK:
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
            return self._idle.popleft()
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
            return
        waiter = self._waiting.popleft()
        waiter.swift = swift
        tasks.wake(waiter.task)

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


class Moment:
    """What the tasks of one turn read in. The first question is asked once for all of them."""

    def __init__(self, first: str, sessions: Sessions, tasks: Tasks) -> None:
        self.first = first
        self.sessions = sessions
        self.tasks = tasks
        self._answer: Rows | None = None
        self._is_asked = False
        self._waiting: list[greenlet] = []

    def __enter__(self) -> "Moment":
        return self

    def __exit__(self, *_: object) -> None:
        """Its tasks may go on for long after the turn in which they began."""

    def answer(self) -> Rows:
        """To the first question."""
        if self._answer is None and self._is_asked:
            self._await_answer()
        if self._answer is None:
            self._answer = self._ask() if self.first else []
        return self._answer

    def _await_answer(self) -> None:
        self._waiting.append(getcurrent())
        try:
            self.tasks.park(ANSWER_S)
        except TimeoutError:
            raise MustWait from None

    def _ask(self) -> Rows:
        self._is_asked = True
        try:
            with Borrowed(self) as swift:
                return swift.word(self.first)
        except psycopg.Error:  # Such as before the first migration.
            raise MustWait from None
        finally:
            self._is_asked = False
            waiting, self._waiting = self._waiting, []
            for task in waiting:
                self.tasks.wake(task)


class Borrowed:
    """A session for a while. One that broke is not given back, and its work is begun anew by a worker."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._swift: Swift | None = None

    def __enter__(self) -> Swift:
        self._swift = self._moment.sessions.take(self._moment.tasks)
        return self._swift

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        assert self._swift is not None
        if isinstance(error, psycopg.OperationalError) or self._swift.session.pgconn.status != pq.ConnStatus.OK:
            self._moment.sessions.lose(self._swift)
            raise MustWait from None
        self._moment.sessions.put(self._swift, self._moment.tasks)


class AtOnce:
    """The database as one task sees it."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._answer = moment.answer()
        self._awaited = moment.first
        self._borrowed: Borrowed | None = None
        self._swift: Swift | None = None

    def run(self, sql: str, params: Any) -> tuple[Rows, int]:
        if sql == self._awaited:
            self._awaited = ""
            return self._answer, len(self._answer)
        swift = self._swift or self._begin()
        return swift.ask(sql, params)

    def _begin(self) -> Swift:
        self._borrowed = Borrowed(self._moment)
        swift = self._swift = self._borrowed.__enter__()
        first = self._moment.first
        if swift.word(f"{READ}; {first}" if first else READ) != self._answer and first:
            raise MustWait  # Something was changed that both must agree on.
        return swift

    def end(self, error: BaseException | None) -> None:
        """Raises MustWait for an error that comes from a session that broke."""
        if self._borrowed is None or self._swift is None:
            return
        try:
            self._swift.leave()
        except psycopg.OperationalError as broken:
            error = broken
        self._borrowed.__exit__(type(error) if error else None, error, None)

    def run_many(self, sql: str, params: Sequence[Mapping[str, Any]]) -> None:
        raise MustWait

    def lock(self, name: str) -> None:
        raise MustWait
