"""Each way in which a database fails has one place in the tree."""

from __future__ import annotations

import sqlite3

import psycopg2
import pytest
from psycopg2 import errorcodes
from sqlalchemy import exc

from hilum.adapters.postgres.errors import translate, translated_errors
from hilum.domain.errors import DatabaseUnavailable, InternalError

SECRET = "P-4711"


def _wrapped(cause: Exception, *, invalidated: bool = False) -> exc.DBAPIError:
    return exc.DBAPIError("SELECT 1", {}, cause, connection_invalidated=invalidated)


class _Coded(psycopg2.Error):  # type: ignore[misc]  # the driver has no types
    """A PostgreSQL error with the code that a server would have sent."""

    def __init__(self, code: str) -> None:
        super().__init__(f"it failed\nDETAIL:  Key (patient_ref)=({SECRET}) exists.")
        self.code = code

    @property
    def pgcode(self) -> str:
        return self.code


@pytest.mark.parametrize(
    "code",
    [
        errorcodes.ADMIN_SHUTDOWN,
        errorcodes.CRASH_SHUTDOWN,
        errorcodes.CANNOT_CONNECT_NOW,
        errorcodes.QUERY_CANCELED,
        errorcodes.LOCK_NOT_AVAILABLE,
        errorcodes.DEADLOCK_DETECTED,
        errorcodes.SERIALIZATION_FAILURE,
        errorcodes.TOO_MANY_CONNECTIONS,
        errorcodes.DISK_FULL,
        errorcodes.CONNECTION_FAILURE,
        errorcodes.IO_ERROR,
        errorcodes.READ_ONLY_SQL_TRANSACTION,
        errorcodes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ],
)
def test_what_passes_with_time_is_unavailable(code: str) -> None:
    """Outages, timeouts, deadlocks and full disks are worth another try."""
    assert type(translate(_wrapped(_Coded(code)))) is DatabaseUnavailable


@pytest.mark.parametrize(
    "code",
    [
        errorcodes.UNIQUE_VIOLATION,
        errorcodes.FOREIGN_KEY_VIOLATION,
        errorcodes.CHECK_VIOLATION,
        errorcodes.NOT_NULL_VIOLATION,
        errorcodes.RESTRICT_VIOLATION,
        errorcodes.UNDEFINED_TABLE,
        errorcodes.SYNTAX_ERROR,
        errorcodes.INSUFFICIENT_PRIVILEGE,
        errorcodes.NUMERIC_VALUE_OUT_OF_RANGE,
        errorcodes.OBJECT_NOT_IN_PREREQUISITE_STATE,
    ],
)
def test_what_does_not_pass_is_internal(code: str) -> None:
    """Broken constraints and wrong statements fail the same way each time."""
    assert type(translate(_wrapped(_Coded(code)))) is InternalError


@pytest.mark.parametrize("kind", [psycopg2.OperationalError, psycopg2.InterfaceError])
def test_a_connection_without_a_server_is_unavailable(kind: type[Exception]) -> None:
    """The client library has no code to give when nobody answered."""
    error = _wrapped(kind("connection refused"))
    assert type(translate(error)) is DatabaseUnavailable


def test_a_broken_connection_is_unavailable_whatever_its_error() -> None:
    """Some breaks have no class and no code of their own."""
    cause = psycopg2.DatabaseError("SSL SYSCALL error: EOF detected")
    assert type(translate(_wrapped(cause))) is InternalError
    assert type(translate(_wrapped(cause, invalidated=True))) is DatabaseUnavailable


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, DatabaseUnavailable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, DatabaseUnavailable),
        (sqlite3.SQLITE_FULL, DatabaseUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, DatabaseUnavailable),
        (sqlite3.SQLITE_CANTOPEN, DatabaseUnavailable),
        (sqlite3.SQLITE_ERROR, InternalError),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, InternalError),
        (sqlite3.SQLITE_CORRUPT, InternalError),
        (sqlite3.SQLITE_READONLY, InternalError),
    ],
)
def test_sqlite_tells_by_its_result_code(code: int, expected: type[Exception]) -> None:
    """Extended codes count as the primary code in their low byte."""
    cause = sqlite3.OperationalError("it failed")
    cause.sqlite_errorcode = code
    assert type(translate(_wrapped(cause))) is expected


def test_no_value_of_a_row_gets_into_the_text() -> None:
    """The server's DETAIL quotes the row; it stays out of what a person is shown."""
    told = translate(_wrapped(_Coded(errorcodes.UNIQUE_VIOLATION)))
    assert "it failed" in told.detail
    assert SECRET not in str(told)


def test_writing_in_a_read_only_block_is_a_defect() -> None:
    """Only a block that was allowed to write finds the server changed."""
    error = _wrapped(_Coded(errorcodes.READ_ONLY_SQL_TRANSACTION))
    with pytest.raises(InternalError), translated_errors(write=False):
        raise error
    with pytest.raises(DatabaseUnavailable), translated_errors(write=True):
        raise error


def test_the_cause_is_kept_and_other_errors_pass() -> None:
    """A trace shows the vendor's error; what is not the database's is not touched."""
    error = _wrapped(_Coded(errorcodes.SYNTAX_ERROR))
    with pytest.raises(InternalError) as caught, translated_errors():
        raise error
    assert caught.value.__cause__ is error
    with pytest.raises(ZeroDivisionError), translated_errors():
        raise ZeroDivisionError
