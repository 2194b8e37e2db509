"""The one door to SQL: tables, statements compiled once, transactions. SQLite (apsw) or PostgreSQL (psycopg).

Statements are built with SQLAlchemy Core and run on the raw driver. A statement of the same shape is compiled once;
see docs/decisions/0002. Nothing above `store.py` rooms writes SQL.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Protocol, TypeVar, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from pilvi.kernel.errors import Fault
from pilvi.kernel.tasks import Tasks

metadata = sa.MetaData()

T = TypeVar("T")
Row = Any
"""A result row: its columns are attributes."""

CACHE_LIMIT = 2000


class Json(sa.types.TypeDecorator[Any]):
    """A JSON document kept as text; rows carry the decoded value."""

    impl = sa.Text
    cache_ok = True


class Duplicate(Exception):
    """A unique constraint was violated and the caller gave no fault for it."""


class Retry(Exception):
    """The database asks to run the transaction again (deadlock, serialization failure)."""


class Connection(Protocol):
    """What a driver must do for us; one per engine."""

    def run(self, sql: str, params: Any) -> tuple[Sequence[tuple[Any, ...]], int]:
        """Rows (empty for writes) and the number of rows changed. Raises Duplicate, Retry."""

    def run_many(self, sql: str, params: Sequence[Any]) -> None: ...

    def lock(self, name: str) -> None:
        """Serialise with whoever else locks this name, until the transaction ends."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A statement of a hot path: built once for each key, with `sa.bindparam` where `values` go by name.

    Making a Core statement and looking its shape up costs several times what running it does (docs/decisions/0002).
    A parameter that is an IN list has no place here: its text differs from call to call.
    """

    key: tuple[Any, ...] | None
    """Begins with a name that no other statement has, and holds all that changes the SQL. None: built each time."""
    build: Callable[[], Any]
    values: Mapping[str, Any]


asked_first: list[Shaped] = []
"""The statement without values with which nearly every reading transaction begins, put here by who asks it. An
engine for which each question is a journey asks it together with the beginning."""

REMEMBERED = "remembered"
"""The key in a table's `info` of who remembers its changes."""


class Remembers(Protocol):
    """Takes down what a write changes; a table may have one (kernel/history.py)."""

    def inserted(self, tx: "Tx", row: Mapping[str, Any]) -> None: ...

    def before(self, tx: "Tx", statement: Any) -> list[Any] | None:
        """What the rows are that an update or delete is about to change; None when it does not matter."""

    def changed(self, tx: "Tx", statement: Any, former: list[Any]) -> None: ...

    def replaced(self, tx: "Tx", former: Any, row: Mapping[str, Any], names: Sequence[str]) -> None:
        """After an upsert: the row before, if there was one, what was to be inserted, and what an update sets."""


def among(tx: "Tx", column: Any, name: str) -> Any:
    """`column` is one of a list that goes as one parameter: unlike IN (…), the text is the same for any number."""
    listed: Any = sa.bindparam(name, type_=Json)
    if tx.is_postgresql:
        return column.in_(sa.select(sa.func.jsonb_array_elements_text(sa.cast(listed, postgresql.JSONB))))
    each = sa.func.json_each(listed).table_valued("value")
    return column.in_(sa.select(each.c.value))


@dataclass(slots=True)
class Compiled:
    """One shape of statement, ready for the driver."""

    sql: str
    compiler: SQLCompiler
    json_params: tuple[str, ...]
    expanding: bool
    columns: tuple[tuple[str, str], ...]
    """Name and kind (`""`, `"bool"`, `"json"`) of each result column."""
    makers: dict[Any, Callable[[tuple[Any, ...]], Any]]
    """Row builders by target type, made when first asked for."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Constants of a `Shaped` statement."""


def _kind(type_: sa.types.TypeEngine[Any]) -> str:
    if isinstance(type_, Json):
        return "json"
    return "bool" if isinstance(type_, sa.Boolean) else ""


class _SqliteTexts(sqlite.base.SQLiteCompiler):
    """SQLite looks at a bound LIMIT when it plans, and plans again each time it is bound: ten times the cost of a short
    query. It does not look into an expression."""

    def limit_clause(self, select: Any, **options: Any) -> str:
        text: str = super().limit_clause(select, **options)  # type: ignore[no-untyped-call]
        return text.replace(" OFFSET ", " + 0 OFFSET ", 1)


class Compiler:
    """Compiles statements for one dialect and remembers them by shape."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        if dialect.name == "sqlite":
            dialect.statement_compiler = _SqliteTexts
        self._cache: dict[Any, Compiled] = {}

    def compile(self, statement: Any) -> tuple[Compiled, dict[str, Any], str]:
        """The compiled shape, its parameters, and the SQL text (which differs per call only for IN lists)."""
        values = None
        if type(statement) is Shaped:
            if statement.key is not None:
                return self._shaped(statement)
            statement, values = statement.build(), statement.values
        key = statement._generate_cache_key()
        assert key is not None, f"this statement cannot be cached: {statement}"
        compiled = self._cache.get(key.key)
        if compiled is None:
            compiled = self._keep(key.key, self._build(statement, key))
        params = compiled.compiler.construct_params(values, extracted_parameters=key.bindparams, escape_names=False)
        sql = compiled.sql
        if compiled.expanding:
            state = compiled.compiler._process_parameters_for_postcompile(params)
            sql, params = state.statement, dict(state.parameters)
        for name in compiled.json_params:
            value = params.get(name)
            params[name] = None if value is None else orjson.dumps(value).decode()
        return compiled, cast(dict[str, Any], params), sql

    def _shaped(self, statement: Shaped) -> tuple[Compiled, dict[str, Any], str]:
        compiled = self._cache.get(statement.key)
        if compiled is None:
            compiled = self._build(statement.build())
            assert not compiled.expanding, "an IN list changes the text of a shaped statement"
            own = {name: p.value for p, name in compiled.compiler.bind_names.items() if not p.required}
            frozen = {name: value for name, value in own.items() if value != 0}  # SQLite's LIMIT brings OFFSET 0.
            assert not frozen, f"values that later calls would get too: {frozen}; give them as `values`"
            compiled.fixed = own
            self._keep(statement.key, compiled)
        params = {**compiled.fixed, **statement.values}
        for name in compiled.json_params:
            params[name] = None if params[name] is None else orjson.dumps(params[name]).decode()
        return compiled, params, compiled.sql

    def _keep(self, key: Any, compiled: Compiled) -> Compiled:
        if len(self._cache) >= CACHE_LIMIT:
            self._cache.clear()
        self._cache[key] = compiled
        return compiled

    def _build(self, statement: Any, key: Any = None) -> Compiled:
        # The key lets the compiler take the values of another statement of the same shape.
        compiler = statement._compiler(self.dialect, cache_key=key)
        json_params = tuple(name for parameter, name in compiler.bind_names.items() if isinstance(parameter.type, Json))
        expanding = bool(compiler.post_compile_params or compiler.literal_execute_params)
        columns = tuple((str(c.keyname), _kind(c.type)) for c in compiler._result_columns)
        return Compiled(str(compiler), compiler, json_params, expanding, columns, {})

    def insert_sql(self, table: sa.Table, names: tuple[str, ...]) -> Compiled:
        """An INSERT of these columns: the shape is the key, no statement object is built."""
        key = (table.name, names)
        compiled = self._cache.get(key)
        if compiled is None:
            compiled = self._build(sa.insert(table).values({name: sa.bindparam(name) for name in names}))
            compiled.json_params = tuple(n for n in names if _kind(table.c[n].type) == "json")
            self._cache[key] = compiled
        return compiled


def _maker(compiled: Compiled, into: Any) -> Callable[[tuple[Any, ...]], Any]:
    """A function from a driver's row to `into`, generated once per shape: no per-row look-ups."""
    maker = compiled.makers.get(into)
    if maker is not None:
        return maker
    names = [name for name, _ in compiled.columns]
    if into is None:
        into_type: Any = _row_type(names)
    else:
        into_type = into
    forms = {"": "r[{}]", "bool": "(None if r[{0}] is None else bool(r[{0}]))", "json": "loads(r[{}])"}
    values = [f"{name}={forms[kind].format(i)}" for i, (name, kind) in enumerate(compiled.columns)]
    source = f"lambda r: make({', '.join(values)})"
    made = cast(Callable[[tuple[Any, ...]], Any], eval(source, {"make": into_type, "loads": _loads}))  # noqa: S307 our own text
    compiled.makers[into] = made
    return made


def _loads(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


def _row_type(names: list[str]) -> Any:
    """A light class with one attribute per column."""
    body = "".join(f"  self.{n} = {n}\n" for n in names)
    space: dict[str, Any] = {}
    exec(  # noqa: S102 column names of our own tables
        f"class Row:\n __slots__ = {tuple(names)!r}\n def __init__(self, {', '.join(names)}):\n{body}\n"
        f" def _asdict(self): return {{n: getattr(self, n) for n in {names!r}}}",
        space,
    )
    return space["Row"]


class Tx:
    """One transaction. Passed down, never committed by those it is passed to."""

    __slots__ = ("_after", "_before", "_connection", "dialect", "facts", "writes")

    def __init__(self, connection: Connection, compiler: Compiler, *, writes: bool) -> None:
        self._connection = connection
        self.dialect = compiler
        self.writes = writes
        self._after: list[Callable[[], None]] = []
        self._before: list[Callable[[Tx], None]] = []
        self.facts: dict[str, Any] = {}
        """A place for what must be computed once per transaction; gone with it."""

    def all(self, statement: Any, into: Callable[..., T] | None = None) -> list[T]:
        compiled, params, sql = self.dialect.compile(statement)
        rows, _ = self._connection.run(sql, params)
        maker = _maker(compiled, into)
        return [maker(row) for row in rows]

    def first(self, statement: Any, into: Callable[..., T] | None = None) -> T | None:
        compiled, params, sql = self.dialect.compile(statement)
        rows, _ = self._connection.run(sql, params)
        return _maker(compiled, into)(rows[0]) if rows else None

    def scalar(self, statement: Any) -> Any:
        compiled, params, sql = self.dialect.compile(statement)
        rows, _ = self._connection.run(sql, params)
        if not rows:
            return None
        value, kind = rows[0][0], compiled.columns[0][1]
        return _loads(value) if kind == "json" else bool(value) if kind == "bool" and value is not None else value

    def scalars(self, statement: Any) -> list[Any]:
        compiled, params, sql = self.dialect.compile(statement)
        rows, _ = self._connection.run(sql, params)
        if compiled.columns[0][1] == "json":
            return [_loads(row[0]) for row in rows]
        return [row[0] for row in rows]

    def execute(self, statement: Any, *, duplicate: Fault | None = None) -> int:
        """Run a write; the number of rows it changed."""
        _, params, sql = self.dialect.compile(statement)
        remembers: Remembers | None = None
        if statement.is_update or statement.is_delete:
            remembers = statement.table.info.get(REMEMBERED)
        former = remembers.before(self, statement) if remembers is not None else None
        try:
            changed = self._connection.run(sql, params)[1]
        except Duplicate:
            if duplicate is not None:
                raise duplicate from None
            raise
        if remembers is not None and former and changed:
            remembers.changed(self, statement, former)
        return changed

    def insert(self, table: sa.Table, record: Any, *, duplicate: Fault | None = None) -> None:
        """Insert a dataclass or a mapping whose names are the columns."""
        values = _values(record, table)
        compiled = self.dialect.insert_sql(table, tuple(values))
        remembered = dict(values) if REMEMBERED in table.info else None
        try:
            self._connection.run(compiled.sql, _encode(values, compiled.json_params))
        except Duplicate:
            if duplicate is not None:
                raise duplicate from None
            raise
        if remembered is not None:
            self._remember(table, [remembered])

    def insert_many(self, table: sa.Table, records: Iterable[Any]) -> None:
        rows = [_values(record, table) for record in records]
        if rows:
            if REMEMBERED in table.info:
                self._remember(table, [dict(row) for row in rows])
            compiled = self.dialect.insert_sql(table, tuple(rows[0]))
            self._connection.run_many(compiled.sql, [_encode(row, compiled.json_params) for row in rows])

    def _remember(self, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        remembers: Remembers = table.info[REMEMBERED]
        for row in rows:
            remembers.inserted(self, row)

    def upsert(self, table: sa.Table, record: Any, keys: Sequence[str], update: Sequence[str] | None = None) -> None:
        """Insert, or where `keys` collide set the other columns (or only those of `update`)."""
        values = _values(record, table)
        statement: Any = self.upsert_statement(table).values(values)
        changed = [n for n in values if n not in keys] if update is None else update
        if changed:
            statement = statement.on_conflict_do_update(
                index_elements=list(keys), set_={n: statement.excluded[n] for n in changed}
            )
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        if REMEMBERED not in table.info:
            self.execute(statement)
            return
        former = self.first(sa.select(table).where(*[table.c[name] == values[name] for name in keys]))
        if self.execute(statement):
            remembers: Remembers = table.info[REMEMBERED]
            remembers.replaced(self, former, values, changed)

    def upsert_statement(self, table: sa.Table) -> Any:
        """The engine's own INSERT, which knows ON CONFLICT."""
        return postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)

    @property
    def is_postgresql(self) -> bool:
        return self.dialect.dialect.name == "postgresql"

    def lock(self, *name: str) -> None:
        """From here to the end of the transaction nobody else holds this name. Needed around check-then-write."""
        self._connection.lock("\0".join(name))

    def before_commit(self, action: Callable[["Tx"], None]) -> None:
        """Something to write once everything else is written, in the same transaction."""
        self._before.append(action)

    def complete(self) -> None:
        """Called by the database when the work of a writing transaction is done, before it commits."""
        for action in self._before:
            action(self)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Something to do once the change is durable, such as waking a loop. Must not raise, must not be needed."""
        self._after.append(action)

    def committed(self) -> None:
        for action in self._after:
            action()


def _values(record: Any, table: sa.Table) -> dict[str, Any]:
    if type(record) is dict:
        return record.copy()
    if isinstance(record, Mapping):
        return dict(record)
    key = (type(record), table.name)
    names = _COLUMNS_OF.get(key)
    if names is None:
        if not is_dataclass(record):
            raise TypeError(f"cannot insert {type(record).__name__}")
        names = _COLUMNS_OF[key] = tuple(f.name for f in fields(record) if f.name in table.c)
    return {name: getattr(record, name) for name in names}


_COLUMNS_OF: dict[tuple[type, str], tuple[str, ...]] = {}
"""Which fields of a dataclass are columns of a table."""


def _encode(values: dict[str, Any], json_names: tuple[str, ...]) -> dict[str, Any]:
    for name in json_names:
        value = values[name]
        values[name] = None if value is None else orjson.dumps(value).decode()
    return values


class Database(Protocol):
    """Transactions. `read` sees one consistent state; `write` is durable when it returns."""

    compiler: Compiler

    def moment(self, tasks: Tasks) -> AbstractContextManager[Any]:
        """For requests that have all come: with it in force (kernel/at_once.py), those that only read share one look
        at the database, and what would make the thread wait raises MustWait. Such a look is younger than each of the
        requests, so nobody sees less than was there when they asked. A task may wait, and outlast the turn."""

    def read(self, work: Callable[[Tx], T]) -> T:
        """Work that reads has no effects: an engine may do it again."""

    def write(self, work: Callable[[Tx], T]) -> T: ...

    def script(self, sql: str) -> None:
        """Run DDL of a migration."""

    def close(self) -> None: ...


def connect(url: str) -> Database:
    """Open `sqlite:///path` (or a bare path) or `postgresql://…`."""
    if url.startswith(("postgresql:", "postgres:")):
        from pilvi.kernel.postgres import PostgresDatabase

        return PostgresDatabase(url)
    from pilvi.kernel.sqlite import SqliteDatabase

    return SqliteDatabase(url.removeprefix("sqlite:///"))
