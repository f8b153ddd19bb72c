"""What SQLAlchemy and the two drivers raise, told in the terms of :mod:`hilum.domain.errors`.

An outage, a timeout, a deadlock or a full disk passes with time: ``DatabaseUnavailable``. A broken
constraint or a wrong statement does not: ``InternalError``.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy import exc

from hilum.domain.errors import DatabaseUnavailable, HilumError, InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_ONLY: Final = "25006"

TRANSIENT_SQLSTATE_CLASSES: Final = (
    "08",  # connection exception
    "40",  # transaction rollback: serialisation failure, deadlock
    "53",  # insufficient resources: disk full, out of memory, too many connections
    "57",  # operator intervention: shutdown, cancelled by statement_timeout
    "58",  # system error: I/O
    "55P03",  # lock not available: lock_timeout
    _READ_ONLY,  # read-only transaction: the primary became a standby
    "25P03",  # idle in transaction for too long
)
"""Prefixes of SQLSTATE (PostgreSQL documentation, appendix A)."""

TRANSIENT_SQLITE_CODES: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""Primary result codes (the low byte of ``sqlite_errorcode``)."""


@contextmanager
def translated_errors(*, write: bool = True) -> Iterator[None]:
    """Raise what SQLAlchemy raises in the block as an error of the tree.

    Args:
        write: Whether the block was allowed to write. If so, and the server then says that it is
            read-only, the server has changed; if not, the block is wrong.

    Raises:
        DatabaseUnavailable: It passes with time.
        InternalError: It does not.
    """
    try:
        yield
    except exc.SQLAlchemyError as error:
        translated = translate(error)
        if not write and getattr(getattr(error, "orig", None), "sqlstate", None) == _READ_ONLY:
            translated = InternalError("a read-only transaction was asked to write")
        raise translated from error


def translate(error: exc.SQLAlchemyError) -> HilumError:
    """The error of the tree that stands for this one. Its text holds no statement and no values."""
    if isinstance(error, exc.TimeoutError):
        return DatabaseUnavailable("no database connection became free in time")
    if isinstance(error, exc.DBAPIError):
        cause = _first_line(error.orig)
        if error.connection_invalidated or _passes(error.orig):
            return DatabaseUnavailable(f"the database does not answer: {cause}")
        return InternalError(f"the database refused: {cause}")
    if isinstance(error, exc.DisconnectionError):
        return DatabaseUnavailable("the connection to the database broke")
    return InternalError(f"the database layer failed: {_first_line(error)}")


def _passes(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        code: int | None = getattr(cause, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in TRANSIENT_SQLITE_CODES
    if not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:
        # libpq noticed it, no server was there to give a code.
        return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return cause.sqlstate.startswith(TRANSIENT_SQLSTATE_CLASSES)


def _first_line(error: BaseException | None) -> str:
    """The primary message alone: DETAIL and the lines after it quote values of the row."""
    return str(error).strip().partition("\n")[0]
