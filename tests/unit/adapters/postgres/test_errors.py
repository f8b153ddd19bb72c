"""Each way in which a database fails has one place in the tree."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import exc

from hilum.adapters.postgres.errors import translate, translated_errors
from hilum.domain.errors import DatabaseUnavailable, InternalError

SECRET = "P-4711"


def _wrapped(cause: Exception, *, invalidated: bool = False) -> exc.DBAPIError:
    return exc.DBAPIError("SELECT 1", {}, cause, connection_invalidated=invalidated)


def _coded(kind: type[psycopg.Error]) -> psycopg.Error:
    """Return an error of a server, with a text that quotes a row."""
    return kind(f"it failed\nDETAIL:  Key (patient_ref)=({SECRET}) exists.")


@pytest.mark.parametrize(
    "kind",
    [
        errors.AdminShutdown,
        errors.CrashShutdown,
        errors.CannotConnectNow,
        errors.QueryCanceled,
        errors.LockNotAvailable,
        errors.DeadlockDetected,
        errors.SerializationFailure,
        errors.TooManyConnections,
        errors.DiskFull,
        errors.ConnectionFailure,
        errors.IoError,
        errors.ReadOnlySqlTransaction,
        errors.IdleInTransactionSessionTimeout,
    ],
)
def test_what_passes_with_time_is_unavailable(kind: type[psycopg.Error]) -> None:
    """Outages, timeouts, deadlocks and full disks are worth another try."""
    assert type(translate(_wrapped(_coded(kind)))) is DatabaseUnavailable


@pytest.mark.parametrize(
    "kind",
    [
        errors.UniqueViolation,
        errors.ForeignKeyViolation,
        errors.CheckViolation,
        errors.NotNullViolation,
        errors.RestrictViolation,
        errors.UndefinedTable,
        errors.SyntaxError,
        errors.InsufficientPrivilege,
        errors.NumericValueOutOfRange,
        errors.ObjectNotInPrerequisiteState,
    ],
)
def test_what_does_not_pass_is_internal(kind: type[psycopg.Error]) -> None:
    """Broken constraints and wrong statements fail the same way each time."""
    assert type(translate(_wrapped(_coded(kind)))) is InternalError


@pytest.mark.parametrize(
    "kind", [psycopg.OperationalError, psycopg.InterfaceError, errors.ConnectionTimeout]
)
def test_a_connection_without_a_server_is_unavailable(kind: type[Exception]) -> None:
    """The client library has no code to give when nobody answered."""
    error = _wrapped(kind("connection refused"))
    assert type(translate(error)) is DatabaseUnavailable


def test_a_broken_connection_is_unavailable_whatever_its_error() -> None:
    """Some breaks have no class and no code of their own."""
    cause = psycopg.DatabaseError("SSL SYSCALL error: EOF detected")
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
    told = translate(_wrapped(_coded(errors.UniqueViolation)))
    assert "it failed" in told.detail
    assert SECRET not in str(told)


def test_writing_in_a_read_only_block_is_a_defect() -> None:
    """Only a block that was allowed to write finds the server changed."""
    error = _wrapped(_coded(errors.ReadOnlySqlTransaction))
    with pytest.raises(InternalError), translated_errors(write=False):
        raise error
    with pytest.raises(DatabaseUnavailable), translated_errors(write=True):
        raise error


def test_the_cause_is_kept_and_other_errors_pass() -> None:
    """A trace shows the vendor's error; what is not the database's is not touched."""
    error = _wrapped(_coded(errors.SyntaxError))
    with pytest.raises(InternalError) as caught, translated_errors():
        raise error
    assert caught.value.__cause__ is error
    with pytest.raises(ZeroDivisionError), translated_errors():
        raise ZeroDivisionError
