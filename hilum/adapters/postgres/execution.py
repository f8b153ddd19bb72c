"""The short way to the driver, for the statements that every film needs.

SQLAlchemy compiles a statement once and caches it, but builds an execution context and a result
around each run, which costs more than the driver's own work: of the twelve statements a film
needs, two thirds of this process's time. Here a Core statement is compiled once per database,
with its types' own conversions, and runs on the driver's cursor inside SQLAlchemy's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, exc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.sql.selectable import Select
    from sqlalchemy.types import TypeEngine

    Conversion = Callable[[Any], Any] | None
    Returning = Select[Any] | sa.Insert | sa.Update


def run(connection: Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run SQL on the driver's cursor.

    Args:
        connection: In a transaction.
        sql: With the placeholders of the driver.
        values: In the order of the placeholders, as the driver takes them.

    Returns:
        The rows as the driver gives them; none for a statement that returns none.

    Raises:
        DBAPIError: As from SQLAlchemy; a broken connection does not go back to the pool.
    """
    proxied = connection.connection
    cursor = proxied.cursor()
    try:
        cursor.execute(sql, values)
        rows = list(cursor.fetchall()) if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        broken = connection.dialect.is_disconnect(error, proxied, cursor)
        if broken:
            connection.invalidate(error)
        raise exc.DBAPIError(
            sql, None, error, hide_parameters=True, connection_invalidated=broken
        ) from error
    cursor.close()
    return rows


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
