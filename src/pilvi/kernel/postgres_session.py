"""A session with PostgreSQL that asks libpq directly, and statements and values as the server takes them."""

import contextlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer

from pilvi.kernel.db import Duplicate, Retry
from pilvi.kernel.errors import BadRequest

Rows = Sequence[tuple[Any, ...]]

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
        self.check(result)
        return self.rows(result), (result.command_status or b"").decode()

    def ask(self, native: Native, values: Sequence[bytes | None]) -> tuple[Rows, int]:
        name = self.name_of(native)
        if name is None and self.is_worth_it(native):
            name = self.new_name()
            self.check(self.pgconn.prepare(name, native.sql))
            self.keep_name(native, name)
        if name is None:
            result = self.pgconn.exec_params(native.sql, values)
        else:
            result = self.pgconn.exec_prepared(name, values)  # type: ignore[arg-type]  # None is SQL's null here, too
        self.check(result)
        changed = result.command_tuples
        return self.rows(result), -1 if changed is None else changed

    def name_of(self, native: Native) -> bytes | None:
        """Of the statement as this session's server has it prepared."""
        return self._names.get(native.sql)

    def is_worth_it(self, native: Native) -> bool:
        """Whether to prepare it now."""
        uses = self._uses[native.sql] = self._uses.get(native.sql, 0) + 1
        if len(self._uses) > KNOWN_MOST:
            self._uses.clear()
        return uses >= PREPARED_FROM

    @property
    def has_room(self) -> bool:
        """For one more prepared statement."""
        return len(self._names) < PREPARED_MOST

    def new_name(self) -> bytes:
        if not self.has_room:
            oldest = next(iter(self._names))
            self.check(self.pgconn.exec_(b"deallocate " + self._names.pop(oldest)))
        self._number += 1
        return f"pilvi_{self._number}".encode()

    def keep_name(self, native: Native, name: bytes) -> None:
        self._names[native.sql] = name

    def rows(self, result: Any) -> Rows:
        if result.status != pq.ExecStatus.TUPLES_OK or not result.ntuples:
            return []
        reader = self._reader
        if reader is None:
            reader = self._reader = Transformer(self)
        reader.set_pgresult(result)
        rows: Rows = reader.load_rows(0, result.ntuples, tuple)
        reader.set_pgresult(None)
        return rows

    def check(self, result: Any) -> None:
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
def told() -> Iterator[None]:
    """What psycopg raises, in the words of `db`."""
    try:
        yield
    except (errors.UniqueViolation, errors.ForeignKeyViolation) as error:
        raise Duplicate(str(error)) from None
    except (errors.DeadlockDetected, errors.SerializationFailure) as error:
        raise Retry(str(error)) from None
    except (errors.DataError, UnicodeEncodeError) as error:
        raise BadRequest(f"A value of the request cannot be stored: {str(error).splitlines()[0]}.") from None


class FirstKnown(ABC):
    """A way to the server on which the first question has been asked already."""

    def __init__(self, first: str = "", answer: Rows = ()) -> None:
        """`answer` has come to the statement `first`."""
        self._awaited, self._answer = first, answer

    def run(self, sql: str, params: Any) -> tuple[Rows, int]:
        """As `db.Connection` has it."""
        if sql == self._awaited:
            self._awaited = ""
            return self._answer, len(self._answer)
        statement = native(sql)
        with told():
            return self._ask(statement, [text_of(params[name]) for name in statement.names])

    @abstractmethod
    def _ask(self, statement: Native, values: Sequence[bytes | None]) -> tuple[Rows, int]: ...
