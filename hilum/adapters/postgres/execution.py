"""The short way to the driver, for the statements that every image needs.

SQLAlchemy compiles a statement once and caches it, but builds an execution context and a result
around each run, which costs more than the driver's own work. Here a Core statement is compiled
once per database, with its types' own conversions, and runs inside SQLAlchemy's transaction.

On PostgreSQL it runs on libpq, which psycopg wraps, with psycopg's own conversions. A cursor of
psycopg waits in Python, so that a signal can end the wait. Here ``statement_timeout`` ends it.

CPU of the client for accepting, claiming and finishing one image (PostgreSQL 15, two busy cores,
median of 12 interleaved runs of ``benchmarks/database_client.py``):

========================  =========  =========
way                       psycopg 2  psycopg 3
========================  =========  =========
this                         4.1 ms     3.6 ms
SQLAlchemy's execution      12.2 ms    14.4 ms
========================  =========  =========

With psycopg's cursor in the place of libpq it was 6.2 ms in a run where psycopg 2 took 4.3 ms.
The database's session took 4.3 ms with either driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from sqlalchemy import Float, exc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.pool import PoolProxiedConnection
    from sqlalchemy.sql.selectable import Select
    from sqlalchemy.types import TypeEngine

    Conversion = Callable[[Any], Any] | None
    Returning = Select[Any] | sa.Insert | sa.Update

_TRANSFORMER: Final = "hilum_transformer"


def run(connection: Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run SQL on the driver.

    Args:
        connection: In a transaction, or to begin one.
        sql: With places ``$1`` on PostgreSQL and ``?`` on SQLite. On PostgreSQL it may be several
            statements, if there are no values.
        values: In the order of the places, as the driver takes them.

    Returns:
        The rows of the last statement as the driver gives them; none if it returns none.

    Raises:
        DBAPIError: As from SQLAlchemy; a broken connection does not go back to the pool.
    """
    proxied = connection.connection
    try:
        if connection.dialect.name == "postgresql":
            return _run_on_libpq(proxied, sql, values)
        cursor = proxied.cursor()
        cursor.execute(sql, values)
        rows = list(cursor.fetchall()) if cursor.description else []
        cursor.close()
    except connection.dialect.loaded_dbapi.Error as error:
        broken = connection.dialect.is_disconnect(error, proxied, None)
        if broken:
            connection.invalidate(error)
        raise exc.DBAPIError(
            sql, None, error, hide_parameters=True, connection_invalidated=broken
        ) from error
    return rows


def _run_on_libpq(
    proxied: PoolProxiedConnection, sql: str, values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Run SQL as psycopg's cursor does, but wait inside libpq."""
    driver: Any = proxied.driver_connection
    transformer: Any = proxied.info.get(_TRANSFORMER)
    if transformer is None:
        transformer = proxied.info[_TRANSFORMER] = Transformer(driver)
    if values:
        bound = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        result = driver.pgconn.exec_params(
            sql.encode(), bound, transformer.types, transformer.formats
        )
    else:
        result = driver.pgconn.exec_(sql.encode())
    if result.status == ExecStatus.TUPLES_OK:
        transformer.set_pgresult(result)
        rows: list[tuple[Any, ...]] = transformer.load_rows(0, result.ntuples, tuple)
        return rows
    if result.status == ExecStatus.COMMAND_OK:
        return []
    raise error_from_result(result)


class Statement:
    """A Core statement for :func:`run`. Its parameters have names, and none is a list."""

    def __init__(self, statement: Returning) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def all(self, connection: Connection, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that it returns, in Python's types."""
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = _compile(self._statement, connection.dialect)
            self._compiled[connection.dialect.name] = compiled
        return compiled.run(connection, values)

    def first(self, connection: Connection, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """The first row that it returns, or None."""
        rows = self.all(connection, values)
        return rows[0] if rows else None


@dataclass(frozen=True, slots=True)
class _Compiled:
    """SQL with what goes into its places: a named value or a fixed one, and its conversion."""

    sql: str
    places: tuple[tuple[str | None, Any, Conversion], ...]
    readers: tuple[tuple[int, Callable[[Any], Any]], ...]

    def run(self, connection: Connection, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        bound = []
        for name, fixed, convert in self.places:
            value = fixed if name is None else values[name]
            bound.append(value if convert is None else convert(value))
        rows = run(connection, self.sql, bound)
        return [self._read(row) for row in rows] if self.readers else rows

    def _read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        fields = list(row)
        for index, convert in self.readers:
            fields[index] = convert(fields[index])
        return tuple(fields)


def _compile(statement: Returning, dialect: Dialect) -> _Compiled:
    if dialect.name == "postgresql":
        # As libpq counts the places; the dialect of the engine writes those of psycopg's cursor.
        alike: Any = type(dialect)
        dialect = alike(paramstyle="numeric_dollar", dbapi=dialect.loaded_dbapi)
    compiled: Any = statement.compile(dialect=dialect)
    places = []
    for name in compiled.positiontup:
        bind = compiled.binds[name]
        name_or_fixed = (bind.key, None) if bind.required else (None, bind.value)
        places.append((*name_or_fixed, _to_driver(bind.type, dialect)))
    columns = statement.exported_columns
    readers = [(index, _from_driver(column.type, dialect)) for index, column in enumerate(columns)]
    return _Compiled(
        str(compiled),
        tuple(places),
        tuple((index, convert) for index, convert in readers if convert is not None),
    )


def _to_driver(kind: TypeEngine[Any], dialect: Dialect) -> Conversion:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(kind: TypeEngine[Any], dialect: Dialect) -> Conversion:
    if isinstance(kind, Float):
        return None  # a float of either driver is one already
    convert: Conversion = kind.dialect_impl(dialect).result_processor(dialect, None)
    return convert
