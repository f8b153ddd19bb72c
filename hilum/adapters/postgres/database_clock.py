"""The database's clock, inside a statement: machines compare no times of their own.

On PostgreSQL it is ``clock_timestamp()`` and not ``now()``, which is the start of the transaction.
A transaction that waited for a lock would make a lease that is born short. On SQLite all processes
share one machine, and the clock is a function of the connection, see :func:`install`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from hilum.adapters.postgres.column_types import UtcTime

if TYPE_CHECKING:
    import sqlite3

_LATER: Final = "hilum_later"


class Later(sa.sql.functions.FunctionElement[datetime]):
    """The present moment and a number of seconds; see :func:`database_now`."""

    type = UtcTime()
    name = "later"
    inherit_cache = True


def database_now() -> sa.ColumnElement[datetime]:
    """Return the present moment by the database's clock."""
    return Later(sa.literal_column("0"))


def database_later(parameter: str) -> sa.ColumnElement[datetime]:
    """Return the moment that lies so many seconds, given by a parameter, after the present one."""
    return Later(sa.bindparam(parameter, type_=sa.Double))


@compiles(Later, "postgresql")
def _on_postgresql(element: Later, compiler: Any, **keywords: Any) -> str:
    seconds = compiler.process(element.clauses, **keywords)
    if seconds == "0":
        return "clock_timestamp()"
    return f"(clock_timestamp() + make_interval(secs => {seconds}))"


@compiles(Later, "sqlite")
def _on_sqlite(element: Later, compiler: Any, **keywords: Any) -> str:
    # In a query of its own it is asked once a statement, not once a row.
    return f"(SELECT {_LATER}({compiler.process(element.clauses, **keywords)}))"


def install(connection: sqlite3.Connection) -> None:
    """Give a SQLite connection its clock."""

    def later(seconds: float) -> str:
        moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=seconds)
        return moment.isoformat(" ", timespec="microseconds")

    connection.create_function(_LATER, 1, later)
