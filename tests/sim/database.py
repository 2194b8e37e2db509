"""The database of the simulated cloud: SQLite in memory, one truth for all processes, each with a line that may break.

A transaction is one step, as it is on SQLite. What varies is what happens around it: whether it comes about, whether
whoever asked hears of it, and who dies when.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar
from weakref import WeakKeyDictionary

import apsw
from sqlalchemy.dialects import sqlite as dialect

from pilvi.kernel.db import Compiler, Tx
from pilvi.kernel.errors import Unavailable
from pilvi.kernel.sqlite import SqliteConnection
from pilvi.kernel.tasks import Tasks
from tests.sim.scheduler import Process, Scheduler

T = TypeVar("T")


_STATEMENTS = Compiler(dialect.dialect(paramstyle="named"))
"""Compiled once for all worlds."""


def _compiler() -> Compiler:
    """What a process keeps in memory hangs on its compiler, so each has its own, with the same statements."""
    compiler = Compiler(_STATEMENTS.dialect)
    compiler._cache = _STATEMENTS._cache
    return compiler


class Broken(Unavailable):
    """The fault that the real database raises, told apart from those that our code makes."""


class SimDatabase:
    """`line(process)` says what is wrong between a process and the database: nothing, `away`, `deaf` or `full`."""

    latest: "SimDatabase"
    """That of the present world, for planted bugs that open transactions of their own."""

    def __init__(self, image: bytes) -> None:
        SimDatabase.latest = self
        self.compiler = _compiler()
        self._compilers: WeakKeyDictionary[Process, Compiler] = WeakKeyDictionary()
        raw = apsw.Connection(":memory:", statementcachesize=400)
        raw.deserialize("main", image)
        raw.execute("pragma foreign_keys=ON")
        self.connection = SqliteConnection(raw)
        self.scheduler: Scheduler | None = None
        self.line: Callable[[Process | None], str] = lambda _process: ""
        self.touched: set[str] = set()
        """Tables that the present transaction has changed."""
        raw.set_update_hook(lambda _kind, _database, table, _row: self.touched.add(table))
        self.committed: Callable[[set[str]], None] = lambda _tables: None
        """Looks at every state that was ever durable, and is told in which tables it is new."""

    @staticmethod
    def image_of(path: str) -> bytes:
        """The bytes of a database file, to begin worlds with."""
        raw = apsw.Connection(path)
        try:
            image = bytearray(raw.serialize("main"))
            image[18:20] = b"\1\1"  # In memory there is no write-ahead log.
            return bytes(image)
        finally:
            raw.close()

    def look(self, work: Callable[[Tx], T]) -> T:
        """For the world itself: no step, no fault."""
        return self._read(work)

    def _tx(self, *, writes: bool) -> Tx:
        process = None if self.scheduler is None else self.scheduler.process
        if process is None:
            return Tx(self.connection, self.compiler, writes=writes)
        compiler = self._compilers.get(process)
        if compiler is None:
            compiler = self._compilers[process] = _compiler()
        return Tx(self.connection, compiler, writes=writes)

    def _read(self, work: Callable[[Tx], T]) -> T:
        raw = self.connection.raw
        if raw.in_transaction:
            return work(self._tx(writes=False))
        raw.execute("begin; pragma query_only=ON")
        try:
            return work(self._tx(writes=False))
        finally:
            raw.execute("pragma query_only=OFF; commit")

    def moment(self, tasks: Tasks) -> AbstractContextManager[None]:
        raise AssertionError("here no server tries requests at once")

    def read(self, work: Callable[[Tx], T]) -> T:
        if self.scheduler is None:
            return self._read(work)
        self.scheduler.point("db read", slow=False)
        if self.line(self.scheduler.process) in ("away", "deaf"):
            raise Broken("The database cannot be reached; try again.")
        return self._read(work)

    def write(self, work: Callable[[Tx], T]) -> T:
        world = self.scheduler
        if world is None:
            tx, result = self._transact(work, lambda: None)
            tx.committed()
            return result
        world.point("db begin", slow=False)
        line = self.line(world.process)
        if line == "away":
            raise Broken("The database cannot be reached; try again.")

        def commits() -> None:
            if line == "full":
                raise Broken("The database could not make the change durable.")
            if world.process is not None and world.process.doom is not None:
                self._die_before_commit(world)

        self.touched.clear()
        tx, result = self._transact(work, commits)
        if self.touched:
            self.committed(set(self.touched))
        world.point("db commit")
        if line == "deaf":
            raise Broken("The database cannot be reached; try again.")
        tx.committed()
        return result

    def _die_before_commit(self, world: Scheduler) -> None:
        process = world.process
        doom = None if process is None else process.doom
        if process is not None and doom is not None and doom.kind == "db before commit":
            doom.countdown -= 1
            if doom.countdown <= 0:
                self.connection.raw.execute("rollback")
                world.kill(process)

    def _transact(self, work: Callable[[Tx], T], before_commit: Callable[[], None]) -> tuple[Tx, T]:
        raw = self.connection.raw
        assert not raw.in_transaction, "a write transaction inside a transaction"
        raw.execute("begin immediate")
        tx = self._tx(writes=True)
        try:
            result = work(tx)
            tx.complete()
            before_commit()
        except BaseException:
            if raw.in_transaction:
                raw.execute("rollback")
            raise
        raw.execute("commit")
        return tx, result

    def script(self, sql: str) -> None:
        self.connection.raw.execute(sql)

    def close(self) -> None:
        self.connection.raw.close()
