"""INSERT of a few rows in one statement, the same on both databases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hilum.adapters.postgres.execution import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

ROWS_AT_ONCE: Final = 16
"""Each number of rows up to this has a compiled statement of its own."""


def insert(connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows.

    Args:
        connection: In a transaction.
        table: Where to.
        rows: A value for every column, by name.
    """
    _insert(connection, table, rows, None)


def insert_absent(
    connection: Connection, column: sa.Column[Any], rows: Sequence[dict[str, Any]]
) -> list[Any]:
    """Insert the rows that do not conflict with one that exists.

    On PostgreSQL it waits for a concurrent transaction that inserted the same and has not ended.

    Args:
        connection: In a transaction.
        column: Which column of the inserted rows to give back; names the table too.
        rows: A value for every column, by name, in the order in which to lock them.

    Returns:
        The column's values of the rows that were inserted.
    """
    return [value for (value,) in _insert(connection, column.table, rows, column)]


def insert_together(
    connection: Connection, *rows_of: tuple[sa.Table, Sequence[dict[str, Any]]]
) -> None:
    """Insert rows into several tables, on PostgreSQL in one statement.

    Args:
        connection: In a transaction.
        rows_of: Tables in the order of their references, each with its rows.
    """
    filled = [(table, rows) for table, rows in rows_of if rows]
    small = all(len(rows) <= ROWS_AT_ONCE for _, rows in filled)
    if connection.dialect.name != "postgresql" or not small or not filled:
        for table, rows in filled:
            insert(connection, table, rows)
        return
    values: dict[str, Any] = {}
    for table, rows in filled:
        values |= _values(rows, table.name)
    _together(tuple((table, len(rows)) for table, rows in filled)).all(connection, values)


@cache
def _together(shape: tuple[tuple[sa.Table, int], ...]) -> Statement:
    *before, last = (
        sa.insert(table).values(_places(table, rows, table.name)) for table, rows in shape
    )
    return Statement(last.add_cte(*(part.cte(f"part_{n}") for n, part in enumerate(before))))


@cache
def upsert(dialect: str, table: sa.Table) -> sa.Executable:
    """An INSERT that puts each row in the place of the one with its primary key."""
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    key = table.primary_key.columns.keys()
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in key
    }
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


def _insert(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[dict[str, Any]],
    absent_by: sa.Column[Any] | None,
) -> list[tuple[Any, ...]]:
    returned: list[tuple[Any, ...]] = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        portion = rows[start : start + ROWS_AT_ONCE]
        statement = _statement(connection.dialect.name, table, len(portion), absent_by)
        returned += statement.all(connection, _values(portion))
    return returned


def _values(rows: Sequence[dict[str, Any]], prefix: str = "") -> dict[str, Any]:
    """What goes into the places of :func:`_places`."""
    return {
        f"{prefix}{name}_{index}": value
        for index, row in enumerate(rows)
        for name, value in row.items()
    }


def _places(table: sa.Table, rows: int, prefix: str = "") -> list[dict[str, Any]]:
    # The types are spelled out: SQLAlchemy infers those of the first row alone.
    return [
        {
            column.name: sa.bindparam(f"{prefix}{column.name}_{row}", type_=column.type)
            for column in table.columns
        }
        for row in range(rows)
    ]


@cache
def _statement(
    dialect: str, table: sa.Table, rows: int, absent_by: sa.Column[Any] | None
) -> Statement:
    values = _places(table, rows)
    if absent_by is None:
        return Statement(sa.insert(table).values(values))
    insert_or_not = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return Statement(
        insert_or_not(table).values(values).on_conflict_do_nothing().returning(absent_by)
    )
