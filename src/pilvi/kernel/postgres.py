"""PostgreSQL through psycopg's libpq and pool, at READ COMMITTED with explicit locks around check-then-write.

Each message to the server costs more than what it asks for, so there are few of them: statements are prepared once for
each connection and run by libpq itself, values travel as text, and the question with which nearly every request begins
(`db.asked_first`) goes along with the beginning of the transaction, or alone where it was the only one the last time.
"""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import errors, pq
from psycopg_pool import ConnectionPool, PoolTimeout
from sqlalchemy.dialects import postgresql as dialect

from pilvi.kernel import at_once, clock, db, measures
from pilvi.kernel.db import Compiler, Retry, Tx
from pilvi.kernel.errors import Unavailable
from pilvi.kernel.postgres_session import READ, FirstKnown, Native, Rows, Session, told
from pilvi.kernel.postgres_tasks import AtOnce, FirstQuestion, Moment, Sessions
from pilvi.kernel.tasks import Tasks

T = TypeVar("T")

ATTEMPTS = 4
POOL_SIZE = 16
POOL_WAIT_S = 15.0


class PostgresConnection(FirstKnown):
    """One transaction's way to the server."""

    def __init__(self, session: Session, first: str = "", answer: Rows = ()) -> None:
        super().__init__(first, answer)
        self.session = session

    def _ask(self, statement: Native, values: Sequence[bytes | None]) -> tuple[Rows, int]:
        return self.session.ask(statement, values)

    def run_many(self, sql: str, params: Sequence[Mapping[str, Any]]) -> None:
        with told(), self.session.cursor() as cursor:
            cursor.executemany(sql, params)

    def lock(self, name: str) -> None:
        key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
        self.session.word(f"select pg_advisory_xact_lock({key})")


class PostgresDatabase:
    def __init__(self, url: str) -> None:
        self.url = url
        self.compiler = Compiler(dialect.psycopg.dialect())  # type: ignore[no-untyped-call]
        self._pool: ConnectionPool[Session] = ConnectionPool(
            url, connection_class=Session, kwargs={"autocommit": True}, min_size=1, max_size=POOL_SIZE,
            timeout=POOL_WAIT_S, open=True,
        )  # fmt: skip
        self._first: str | None = None
        self._first_for_tasks: FirstQuestion | None = None
        self._sessions = Sessions(self._pool.putconn)
        self._lending = threading.Lock()

    def moment(self, tasks: Tasks) -> Moment:
        if self._first_for_tasks is None:
            self._first_for_tasks = FirstQuestion(self.first_question())
        return Moment(self._first_for_tasks, self._sessions, tasks)

    def _read_at_once(self, moment: Moment, work: Callable[[Tx], T]) -> T:
        connection = AtOnce(moment)
        try:
            result = work(Tx(connection, self.compiler, writes=False))
        except BaseException as error:
            connection.end(error)
            raise
        connection.end(None)
        return result

    def read(self, work: Callable[[Tx], T]) -> T:
        moment: Moment | None = at_once.moment.get()
        return self._run(work, writes=False) if moment is None else self._read_at_once(moment, work)

    def write(self, work: Callable[[Tx], T]) -> T:
        if at_once.moment.get() is not None:
            raise at_once.MustWait
        for attempt in range(ATTEMPTS):
            try:
                return self._run(work, writes=True)
            except Retry:
                if attempt == ATTEMPTS - 1:
                    raise Unavailable("The database is contended; try again.") from None
        raise AssertionError("unreachable")

    def _run(self, work: Callable[[Tx], T], *, writes: bool) -> T:
        try:
            session = self._pool.getconn()
            try:
                tx = Tx(self._begin(session, writes=writes), self.compiler, writes=writes)
                result = work(tx)
                if writes:
                    tx.complete()
                    self._commit(session)
            finally:
                self._give_back(session)
        except PoolTimeout:
            raise Unavailable("No database connection was free in time; try again.") from None
        except psycopg.OperationalError as error:
            raise Unavailable("The database cannot be reached; try again.") from error
        if writes:
            tx.committed()
        return result

    def _begin(self, session: Session, *, writes: bool) -> PostgresConnection:
        if writes:
            session.word("begin")
            return PostgresConnection(session)
        first = self.first_question()
        if not first:
            session.word(READ)
            return PostgresConnection(session)
        try:
            return PostgresConnection(session, first, session.word(f"{READ}; {first}")[0])
        except errors.UndefinedTable:  # before the first migration
            session.word(f"rollback; {READ}")
            return PostgresConnection(session)

    def first_question(self) -> str:
        """Empty where there is none."""
        if self._first is None:
            self._first = ""
            if db.asked_first:
                _, params, sql = self.compiler.compile(db.asked_first[0])
                self._first = "" if params or "%" in sql else sql
        return self._first

    def _commit(self, session: Session) -> None:
        started = clock.monotonic()
        with told():
            _, done = session.word("commit")
        if done != "COMMIT":  # The server undid a transaction in which a statement had failed.
            raise Unavailable("The database did not keep the change; try again.")
        measures.COMMIT_SECONDS.observe(clock.monotonic() - started)

    def _give_back(self, session: Session) -> None:
        """With no transaction open; one that is broken the pool replaces."""
        with contextlib.suppress(psycopg.Error):
            if session.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                session.word("rollback")
        if not self._sessions.wanted or not self._lend(session):
            self._pool.putconn(session)

    def _lend(self, session: Session) -> bool:
        with self._lending:
            if not self._sessions.wanted or session.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                return False
            self._sessions.wanted -= 1
            self._sessions.lend(session)
            return True

    def script(self, sql: str) -> None:
        with self._pool.connection() as session:
            session.word(f"begin; {sql}; commit")

    def close(self) -> None:
        self._sessions.close()
        self._pool.close()
