"""Indices that PostgreSQL builds while writers go on: those of ``tables`` that say so.

Such a build cannot be part of a transaction, so it follows the one of the steps. An interrupted
build leaves an invalid index, which costs its writes and is never read. The next run replaces it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, DropIndex

from hilum.adapters.postgres.tables import METADATA

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_INDICES: Final = [
    index
    for table in METADATA.sorted_tables
    for index in sorted(table.indexes, key=lambda index: str(index.name))
    if index.dialect_options["postgresql"]["concurrently"]
]
_VALID: Final = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def build_missing(connection: Connection, lock_timeout_s: float) -> None:
    """Build the indices that are missing or invalid.

    Args:
        connection: Commits by itself. No other process may be here at the same time.
        lock_timeout_s: Longest wait for transactions that are older than the build. No writer
            waits behind it.
    """
    # Set for the session, because there is no transaction. Each transaction has its own setting.
    connection.exec_driver_sql(f"SET lock_timeout = '{lock_timeout_s}s'")
    for index in _INDICES:
        valid = connection.execute(_VALID, {"name": index.name}).scalar()
        if valid is False:
            connection.execute(DropIndex(index))
        if not valid:
            connection.execute(CreateIndex(index))
    connection.exec_driver_sql("RESET lock_timeout")
