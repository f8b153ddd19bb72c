"""INSERT that leaves an existing row alone, on both databases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection

RowKey = TypeVar("RowKey")


def insert_absent(
    connection: Connection,
    column: sa.Column[RowKey],
    rows: Sequence[dict[str, object]],
) -> list[RowKey]:
    """Insert the rows that do not conflict with one that exists, in one statement.

    On PostgreSQL it waits for a concurrent transaction that inserted the same and has not ended.

    Args:
        connection: In a transaction.
        column: Which column of the inserted rows to give back; names the table too.
        rows: Values by column name, in the order in which to lock them.

    Returns:
        The column's values of the rows that were inserted.
    """
    statement = _statement(connection.dialect.name, column)
    return list(connection.execute(statement, rows).scalars())


@cache
def _statement(dialect: str, column: sa.Column[object]) -> sa.Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(column.table).on_conflict_do_nothing().returning(column)
