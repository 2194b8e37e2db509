"""PostgreSQL through psycopg and its pool, at READ COMMITTED with explicit locks around check-then-write."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout
from sqlalchemy.dialects import postgresql as dialect

from pilvi.kernel import clock, measures
from pilvi.kernel.db import Compiler, Duplicate, Retry, Tx
from pilvi.kernel.errors import BadRequest, Unavailable

T = TypeVar("T")

ATTEMPTS = 4
POOL_SIZE = 16
POOL_WAIT_S = 15.0


class PostgresConnection:
    def __init__(self, raw: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.raw = raw

    def run(self, sql: str, params: Any) -> tuple[Sequence[tuple[Any, ...]], int]:
        try:
            cursor = self.raw.execute(sql, params)
        except (psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation) as error:
            raise Duplicate(str(error)) from None
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
            raise Retry(str(error)) from None
        except psycopg.DataError as error:
            raise BadRequest(f"A value of the request cannot be stored: {str(error).splitlines()[0]}.") from None
        rows = cursor.fetchall() if cursor.description is not None else []
        return rows, cursor.rowcount

    def run_many(self, sql: str, params: Sequence[Any]) -> None:
        try:
            with self.raw.cursor() as cursor:
                cursor.executemany(sql, params)
        except psycopg.errors.UniqueViolation as error:
            raise Duplicate(str(error)) from None
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
            raise Retry(str(error)) from None

    def lock(self, name: str) -> None:
        key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
        self.raw.execute("select pg_advisory_xact_lock(%s)", (key,))


class PostgresDatabase:
    def __init__(self, url: str) -> None:
        self.url = url
        self.compiler = Compiler(dialect.psycopg.dialect())  # type: ignore[no-untyped-call]
        self._pool = ConnectionPool(url, min_size=1, max_size=POOL_SIZE, timeout=POOL_WAIT_S, open=True)

    def read(self, work: Callable[[Tx], T]) -> T:
        return self._run(work, writes=False)

    def write(self, work: Callable[[Tx], T]) -> T:
        for attempt in range(ATTEMPTS):
            try:
                return self._run(work, writes=True)
            except Retry:
                if attempt == ATTEMPTS - 1:
                    raise Unavailable("The database is contended; try again.") from None
        raise AssertionError("unreachable")

    def _run(self, work: Callable[[Tx], T], *, writes: bool) -> T:
        try:
            with self._pool.connection() as raw:
                if not writes:
                    raw.execute("set transaction isolation level repeatable read, read only")
                tx = Tx(PostgresConnection(raw), self.compiler, writes=writes)
                result = work(tx)
                if writes:
                    tx.complete()
                    started = clock.monotonic()
                    raw.commit()
                    measures.COMMIT_SECONDS.observe(clock.monotonic() - started)
        except PoolTimeout:
            raise Unavailable("No database connection was free in time; try again.") from None
        except psycopg.OperationalError as error:
            raise Unavailable("The database cannot be reached; try again.") from error
        if writes:
            tx.committed()
        return result

    def script(self, sql: str) -> None:
        with self._pool.connection() as raw:
            raw.execute(sql)

    def close(self) -> None:
        self._pool.close()
