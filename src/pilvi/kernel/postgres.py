"""PostgreSQL through psycopg's libpq and pool, at READ COMMITTED with explicit locks around check-then-write.

Each message to the server costs more than what it asks for, so there are few of them: statements are prepared once for
each connection and run by libpq itself, values travel as text, and the question with which nearly every request begins
(`db.asked_first`) goes along with the beginning of the transaction, or alone where it was the only one the last time.
"""

import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer
from psycopg_pool import ConnectionPool, PoolTimeout
from sqlalchemy.dialects import postgresql as dialect

from pilvi.kernel import clock, db, measures
from pilvi.kernel.db import Compiler, Duplicate, Retry, Tx
from pilvi.kernel.errors import BadRequest, Unavailable

T = TypeVar("T")
Rows = Sequence[tuple[Any, ...]]

ATTEMPTS = 4
POOL_SIZE = 16
POOL_WAIT_S = 15.0
PREPARED_MOST: Final = 500
PREPARED_FROM: Final = 3
"""The third use of a statement by a connection prepares it: lists of many lengths do not."""
KNOWN_MOST: Final = 4000
READ: Final = "begin isolation level repeatable read read only"
_PLACE = re.compile(r"%\((\w+)\)s|%%")
_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


@dataclass(frozen=True, slots=True)
class Native:
    """A statement as the server takes it: `$1` for values, whose names stand in order."""

    sql: bytes
    names: tuple[str, ...]


class Session(psycopg.Connection[tuple[Any, ...]]):
    """A connection that asks libpq directly. Always in autocommit: transactions begin and end by words of ours."""

    def __init__(self, pgconn: Any) -> None:
        super().__init__(pgconn)
        self._uses: dict[bytes, int] = {}
        self._names: dict[bytes, bytes] = {}
        self._number = 0
        self._reader: Any = None

    def word(self, text: str) -> tuple[Rows, str]:
        """Statements without values, the answer to the last of them, and what the server calls what it did."""
        result = self.pgconn.exec_(text.encode())
        self._check(result)
        return self._rows(result), (result.command_status or b"").decode()

    def ask(self, native: Native, values: Sequence[bytes | None]) -> tuple[Rows, int]:
        name = self._names.get(native.sql)
        if name is None and self._is_worth_it(native):
            name = self._prepare(native)
        if name is None:
            result = self.pgconn.exec_params(native.sql, values)
        else:
            result = self.pgconn.exec_prepared(name, values)  # type: ignore[arg-type]  # None is SQL's null here, too
        self._check(result)
        changed = result.command_tuples
        return self._rows(result), -1 if changed is None else changed

    def _is_worth_it(self, native: Native) -> bool:
        uses = self._uses[native.sql] = self._uses.get(native.sql, 0) + 1
        if len(self._uses) > KNOWN_MOST:
            self._uses.clear()
        return uses >= PREPARED_FROM

    def _prepare(self, native: Native) -> bytes:
        if len(self._names) >= PREPARED_MOST:
            oldest = next(iter(self._names))
            self._check(self.pgconn.exec_(b"deallocate " + self._names.pop(oldest)))
        self._number += 1
        name = f"pilvi_{self._number}".encode()
        self._check(self.pgconn.prepare(name, native.sql))
        self._names[native.sql] = name
        return name

    def _rows(self, result: Any) -> Rows:
        if result.status != pq.ExecStatus.TUPLES_OK or not result.ntuples:
            return []
        reader = self._reader
        if reader is None:
            reader = self._reader = Transformer(self)
        reader.set_pgresult(result)
        rows: Rows = reader.load_rows(0, result.ntuples, tuple)
        reader.set_pgresult(None)
        return rows

    def _check(self, result: Any) -> None:
        if result.status not in _GOOD:
            if self.pgconn.status != pq.ConnStatus.OK:
                raise errors.OperationalError(result.get_error_message("utf-8"))
            raise errors.error_from_result(result, encoding="utf-8")


_natives: dict[str, Native] = {}


def native(sql: str) -> Native:
    """From the form that SQLAlchemy compiles to; remembered, because each statement comes often."""
    found = _natives.get(sql)
    if found is None:
        names: list[str] = []

        def place(match: re.Match[str]) -> str:
            name = match.group(1)
            if name is None:
                return "%"
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"

        found = Native(_PLACE.sub(place, sql).encode(), tuple(names))
        if len(_natives) >= KNOWN_MOST:
            _natives.clear()
        _natives[sql] = found
    return found


def text_of(value: Any) -> bytes | None:
    """A value as the server reads it; statements say the types (`$1::VARCHAR`)."""
    if value is None:
        return None
    if isinstance(value, str):
        encoded = value.encode()
        if b"\0" in encoded:  # libpq would take what stands before it for the whole
            raise errors.DataError("a text cannot contain a NUL character")
        return encoded
    if value is True or value is False:
        return b"t" if value else b"f"
    if isinstance(value, int | float):
        return repr(value).encode()
    if isinstance(value, bytes | bytearray | memoryview):
        return b"\\x" + bytes(value).hex().encode()
    raise TypeError(f"{type(value).__name__} is no value for a statement")


@contextlib.contextmanager
def _told() -> Any:
    """What psycopg raises, in the words of `db`."""
    try:
        yield
    except (errors.UniqueViolation, errors.ForeignKeyViolation) as error:
        raise Duplicate(str(error)) from None
    except (errors.DeadlockDetected, errors.SerializationFailure) as error:
        raise Retry(str(error)) from None
    except (errors.DataError, UnicodeEncodeError) as error:
        raise BadRequest(f"A value of the request cannot be stored: {str(error).splitlines()[0]}.") from None


class Moved(Exception):
    """Between the first question and the rest something was changed that both must agree on."""


class PostgresConnection:
    """One transaction's way to the server; the first question may have been asked already."""

    def __init__(self, session: Session, first: str = "", answer: Rows = (), *, is_open: bool = True) -> None:
        """`answer` has come to the statement `first`. Not `is_open`: without a transaction, which begins when there is
        a second question; Moved if the first has another answer by then."""
        self.session = session
        self.is_open = is_open
        self.is_brief = True
        self._first, self._answer = first, answer
        self._awaited = first

    def run(self, sql: str, params: Any) -> tuple[Rows, int]:
        if sql == self._awaited:
            self._awaited = ""
            return self._answer, len(self._answer)
        self.is_brief = False
        if not self.is_open:
            self.is_open = True
            if self.session.word(f"{READ}; {self._first}")[0] != self._answer:
                raise Moved
        statement = native(sql)
        with _told():
            values = [text_of(params[name]) for name in statement.names]
            return self.session.ask(statement, values)

    def run_many(self, sql: str, params: Sequence[Mapping[str, Any]]) -> None:
        with _told(), self.session.cursor() as cursor:
            cursor.executemany(sql, params)

    def lock(self, name: str) -> None:
        key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
        self.session.word(f"select pg_advisory_xact_lock({key})")


class PostgresDatabase:
    answers_at_once = False

    def __init__(self, url: str) -> None:
        self.url = url
        self.compiler = Compiler(dialect.psycopg.dialect())  # type: ignore[no-untyped-call]
        self._pool: ConnectionPool[Session] = ConnectionPool(
            url, connection_class=Session, kwargs={"autocommit": True}, min_size=1, max_size=POOL_SIZE,
            timeout=POOL_WAIT_S, open=True,
        )  # fmt: skip
        self._first: str | None = None
        self._brief: set[str] = set()
        """Kinds of work that asked the first question and nothing else the last time."""

    def read(self, work: Callable[[Tx], T], about: str = "") -> T:
        if about in self._brief:
            with contextlib.suppress(Moved):
                return self._run(work, writes=False, about=about)
            self._brief.discard(about)
        return self._run(work, writes=False, about=about)

    def write(self, work: Callable[[Tx], T]) -> T:
        for attempt in range(ATTEMPTS):
            try:
                return self._run(work, writes=True)
            except Retry:
                if attempt == ATTEMPTS - 1:
                    raise Unavailable("The database is contended; try again.") from None
        raise AssertionError("unreachable")

    def _run(self, work: Callable[[Tx], T], *, writes: bool, about: str = "") -> T:
        try:
            session = self._pool.getconn()
            try:
                connection = self._begin(session, writes=writes, is_brief=about in self._brief)
                tx = Tx(connection, self.compiler, writes=writes)
                result = work(tx)
                if writes:
                    tx.complete()
                    self._commit(session)
                elif about:
                    (self._brief.add if connection.is_brief else self._brief.discard)(about)
            finally:
                self._give_back(session)
        except PoolTimeout:
            raise Unavailable("No database connection was free in time; try again.") from None
        except psycopg.OperationalError as error:
            raise Unavailable("The database cannot be reached; try again.") from error
        if writes:
            tx.committed()
        return result

    def _begin(self, session: Session, *, writes: bool, is_brief: bool) -> PostgresConnection:
        if writes:
            session.word("begin")
            return PostgresConnection(session)
        first = self._first
        if first is None:
            first = self._first = self._ask_first()
        if not first:
            session.word(READ)
            return PostgresConnection(session)
        if is_brief:
            return PostgresConnection(session, first, session.word(first)[0], is_open=False)
        try:
            return PostgresConnection(session, first, session.word(f"{READ}; {first}")[0])
        except errors.UndefinedTable:  # before the first migration
            session.word(f"rollback; {READ}")
            return PostgresConnection(session)

    def _ask_first(self) -> str:
        if not db.asked_first:
            return ""
        _, params, sql = self.compiler.compile(db.asked_first[0])
        return "" if params or "%" in sql else sql

    def _commit(self, session: Session) -> None:
        started = clock.monotonic()
        with _told():
            _, done = session.word("commit")
        if done != "COMMIT":  # The server undid a transaction in which a statement had failed.
            raise Unavailable("The database did not keep the change; try again.")
        measures.COMMIT_SECONDS.observe(clock.monotonic() - started)

    def _give_back(self, session: Session) -> None:
        """With no transaction open; one that is broken the pool replaces."""
        with contextlib.suppress(psycopg.Error):
            if session.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                session.word("rollback")
        self._pool.putconn(session)

    def script(self, sql: str) -> None:
        with self._pool.connection() as session:
            session.word(f"begin; {sql}; commit")

    def close(self) -> None:
        self._pool.close()
