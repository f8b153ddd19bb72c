"""The engine: how this process connects to its database."""

from __future__ import annotations

import os
import select
import sqlite3
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event, exc

from hilum.adapters.postgres import database_clock
from hilum.domain.errors import InternalError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

WRITE_OPTION: Final = "hilum_write"
"""Execution option of a connection whose transaction will write."""

OLDEST_SQLITE: Final = (3, 35, 0)
"""The first with RETURNING."""

_CONNECT_TIMEOUT_S: Final = 5
_IDLE_IN_TRANSACTION_TIMEOUT_S: Final = 120


def create_database_engine(
    url: str,
    *,
    pool_size: int = 5,
    statement_timeout_s: float = 30,
    lock_timeout_s: float = 10,
) -> Engine:
    """An engine for PostgreSQL (``postgresql+psycopg2://``) or SQLite (``sqlite:////abs/path``).

    Nothing connects yet. The engine may be made before a fork: a child opens connections of its
    own instead of sharing its parent's.

    Args:
        url: As in ``HILUM_DATABASE_URL``.
        pool_size: Most connections of this process; a thread beyond it waits for one to be free.
        statement_timeout_s: Longest statement (PostgreSQL).
        lock_timeout_s: Longest wait for a lock, and for a connection from the pool.

    Raises:
        InternalError: The URL names another database, or SQLite is too old.
    """
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        # The text of the error would show the URL, and the URL holds a password.
        raise InternalError("the database URL cannot be read") from None
    pool: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": lock_timeout_s,
    }
    match parsed.get_backend_name():
        case "postgresql":
            engine = _postgresql(parsed, pool, statement_timeout_s, lock_timeout_s)
        case "sqlite":
            engine = _sqlite(parsed, pool, lock_timeout_s)
        case other:
            raise InternalError(f"{other} is not supported: use PostgreSQL or SQLite")
    event.listen(engine, "connect", _note_process)
    event.listen(engine, "checkout", _refuse_dead)
    return engine


def _postgresql(
    url: URL, pool: dict[str, Any], statement_timeout_s: float, lock_timeout_s: float
) -> Engine:
    settings = {
        "statement_timeout": round(statement_timeout_s * 1000),
        "lock_timeout": round(lock_timeout_s * 1000),
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_TIMEOUT_S * 1000,
        "timezone": "UTC",
    }
    return sa.create_engine(
        url,
        **pool,
        hide_parameters=True,  # a trace in a log holds no pseudonym and no file name
        # The most recently used first: what a quiet night left over stays closed by the server.
        pool_use_lifo=True,
        paramstyle="format",  # values by place, as SQLite takes them too
        use_native_hstore=False,  # saves a query on every new connection
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "fallback_application_name": "hilum",
            # A server that vanished without a word is noticed in about half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            "tcp_user_timeout": 30_000,
        },
    )


def _sqlite(url: URL, pool: dict[str, Any], lock_timeout_s: float) -> Engine:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise InternalError(f"SQLite 3.35 or newer is needed, this is {sqlite3.sqlite_version}")
    if not url.database or url.database == ":memory:":
        raise InternalError("SQLite needs a file: several processes share the database")
    engine = sa.create_engine(
        url,
        **pool,
        hide_parameters=True,  # a trace in a log holds no pseudonym and no file name
        connect_args={
            "timeout": lock_timeout_s,
            # The driver would open transactions by itself, late and deferred; _begin_sqlite does.
            "isolation_level": None,
        },
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    """Settings that a SQLite connection keeps for its life."""
    # WAL is a property of the file: readers go on while one process writes. In WAL mode, NORMAL
    # could lose the last commits with the power, and a 202 has promised that the film is kept.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    database_clock.install(connection)
    record.info["query_only"] = False


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once, or promise not to write.

    A deferred transaction that turns into a writer fails at once with SQLITE_BUSY when another
    has written since it began, whatever the timeout; an immediate one queues.
    """
    write = connection.get_execution_options().get(WRITE_OPTION, True)
    info = connection.info
    if info["query_only"] == write:
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if write else 'ON'}")
        info["query_only"] = not write
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _note_process(connection: Any, record: ConnectionPoolEntry) -> None:
    del connection
    record.info["process"] = os.getpid()


def _refuse_dead(connection: Any, record: Any, proxy: Any) -> None:
    """Refuse a connection of the parent process, and one that the server has closed.

    A server that stops says so and closes the socket, so an idle connection with something to
    read is a dead one. Looking costs two microseconds; a ping before each transaction would cost
    a round trip. A server that vanished silently is found by the first statement, as with a ping
    that comes a moment too early.

    Raises:
        DisconnectionError: The pool then opens a new connection.
    """
    if record.info["process"] != os.getpid():
        # Forget it without closing: closing would end the parent's session.
        record.dbapi_connection = proxy.dbapi_connection = None
        raise exc.DisconnectionError("the connection belongs to the parent process")
    if isinstance(connection, sqlite3.Connection):
        return
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise exc.DisconnectionError("the server has closed the connection")
