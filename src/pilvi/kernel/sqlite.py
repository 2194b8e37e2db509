"""SQLite through apsw: WAL, synchronous=FULL, readers per thread, one writer with group commit.

Writers of one process share one connection. Each runs in a savepoint; whoever finds nobody waiting behind it commits
for all, so that one fsync makes many requests durable. Nobody is answered before that fsync.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import apsw
from sqlalchemy.dialects import sqlite as dialect

from pilvi.kernel import at_once, clock, measures
from pilvi.kernel.db import Compiler, Duplicate, Tx
from pilvi.kernel.errors import Unavailable
from pilvi.kernel.tasks import Tasks

T = TypeVar("T")

BUSY_TIMEOUT_MS = 15_000
BATCH_LIMIT = 64
"""Requests made durable by one fsync at most, so that the first of them never waits for an endless queue."""
COMMIT_WAIT_S = 60.0


def _open(path: str) -> apsw.Connection:
    connection = apsw.Connection(path, statementcachesize=400)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-8192", "temp_store=MEMORY"):
        connection.execute(f"pragma {pragma}")
    return connection


class SqliteConnection:
    def __init__(self, raw: apsw.Connection) -> None:
        self.raw = raw

    def run(self, sql: str, params: Any) -> tuple[Sequence[tuple[Any, ...]], int]:
        try:
            rows = self.raw.execute(sql, params).fetchall()
        except apsw.ConstraintError as error:
            raise Duplicate(str(error)) from None
        return rows, self.raw.changes()

    def run_many(self, sql: str, params: Sequence[Any]) -> None:
        try:
            self.raw.executemany(sql, params).fetchall()
        except apsw.ConstraintError as error:
            raise Duplicate(str(error)) from None

    def lock(self, name: str) -> None:
        """Nothing to do: SQLite has one writer at a time."""


class _Batch:
    """Requests that become durable together."""

    def __init__(self) -> None:
        self.members = 0
        self.committed = threading.Event()
        self.failure: BaseException | None = None


class _Moment:
    """One look at the database for all that a thread reads inside. It begins with the first question."""

    def __init__(self, connection: SqliteConnection, compiler: Compiler) -> None:
        self._connection = connection
        self._compiler = compiler
        self._tx: Tx | None = None

    @property
    def tx(self) -> Tx:
        if self._tx is None:
            self._connection.raw.execute("begin")
            self._tx = Tx(self._connection, self._compiler, writes=False)
        return self._tx

    def __enter__(self) -> "_Moment":
        return self

    def __exit__(self, *_: object) -> None:
        if self._tx is not None:
            self._connection.raw.execute("commit")


class SqliteDatabase:
    def __init__(self, path: str) -> None:
        self.path = path
        self.compiler = Compiler(dialect.dialect(paramstyle="named"))
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        self._writer = SqliteConnection(_open(path))
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._waiting = 0
        self._batch: _Batch | None = None

    def moment(self, tasks: Tasks) -> _Moment:
        return _Moment(self._reader(), self.compiler)

    def _reader(self) -> SqliteConnection:
        """This thread's own connection."""
        connection: SqliteConnection | None = getattr(self._local, "reader", None)
        if connection is None:
            connection = self._local.reader = SqliteConnection(_open(self.path))
            connection.raw.execute("pragma query_only=ON")
            self._readers.append(connection.raw)
        return connection

    def read(self, work: Callable[[Tx], T]) -> T:
        moment: _Moment | None = at_once.moment.get()
        if moment is not None:
            return work(moment.tx)
        connection = self._reader()
        connection.raw.execute("begin")
        try:
            return work(Tx(connection, self.compiler, writes=False))
        finally:
            connection.raw.execute("commit")

    def write(self, work: Callable[[Tx], T]) -> T:
        if at_once.moment.get() is not None:
            raise at_once.MustWait
        assert not getattr(self._local, "writing", False), "a write transaction inside a write transaction"
        with self._count:
            self._waiting += 1
        with self._turn:
            with self._count:
                self._waiting -= 1
            self._local.writing = True
            try:
                tx = Tx(self._writer, self.compiler, writes=True)
                batch, result, failure = self._member(tx, work)
            finally:
                self._local.writing = False
        if failure is not None:
            raise failure
        if not batch.committed.wait(COMMIT_WAIT_S):
            raise Unavailable("The database did not commit in time; look at the disk of the state directory.")
        if batch.failure is not None:
            raise Unavailable("The database could not make the change durable.") from batch.failure
        tx.committed()
        return result  # type: ignore[return-value]

    def _member(self, tx: Tx, work: Callable[[Tx], T]) -> tuple[_Batch, T | None, BaseException | None]:
        """Run one request in the open batch and commit the batch when nobody is waiting behind it."""
        raw = self._writer.raw
        batch = self._batch
        is_alone = batch is None
        """A savepoint copies every page that is written; the first of a batch has none before it to keep."""
        if batch is None:
            try:
                raw.execute("begin immediate")
            except apsw.BusyError:
                raise Unavailable("The database is busy; try again.") from None
            batch = self._batch = _Batch()
        else:
            raw.execute("savepoint request")
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = work(tx)
            tx.complete()
        except BaseException as error:  # noqa: BLE001 raised again once what it did is undone
            failure = error
            if is_alone:
                self._batch = None
                raw.execute("rollback")
                return batch, None, failure
            raw.execute("rollback to request")
        else:
            batch.members += 1
        try:
            if not is_alone:
                raw.execute("release request")
        finally:
            if self._waiting == 0 or batch.members >= BATCH_LIMIT:
                self._commit(batch)
        return batch, result, failure

    def _commit(self, batch: _Batch) -> None:
        self._batch = None
        started = clock.monotonic()
        try:
            self._writer.raw.execute("commit")
            measures.COMMIT_SECONDS.observe(clock.monotonic() - started)
        except BaseException as error:  # noqa: BLE001 raised again in every member of the batch
            batch.failure = error
            if self._writer.raw.in_transaction:
                self._writer.raw.execute("rollback")
        finally:
            batch.committed.set()

    def script(self, sql: str) -> None:
        self._writer.raw.execute(sql)

    def close(self) -> None:
        # Readers of other threads may still be open: without this the file alone would lack what the log holds.
        self._writer.raw.execute("pragma wal_checkpoint(truncate)")
        self._writer.raw.close()
