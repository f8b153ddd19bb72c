"""The engine: how this process connects to its database."""

from __future__ import annotations

import os
import select
import sqlite3
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event, exc

from hilum.adapters.postgres import database_clock
from hilum.adapters.postgres.address import read_address, settings_in
from hilum.adapters.postgres.execution import run
from hilum.domain.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

WRITE_OPTION: Final = "hilum_write"
"""Execution option of a connection whose transaction will write."""

OLDEST_SQLITE: Final = (3, 35, 0)
"""The first with RETURNING."""

_CONNECT_TIMEOUT_S: Final = 5
_STATEMENT_TIMEOUT_S: Final = 30
_LOCK_TIMEOUT_S: Final = 10
_IDLE_IN_TRANSACTION_TIMEOUT_S: Final = 120


def create_database_engine(
    url: str,
    *,
    pool_size: int = 5,
    statement_timeout_s: float | None = None,
    lock_timeout_s: float | None = None,
) -> Engine:
    """Make an engine for PostgreSQL (``postgresql://``) or SQLite (``sqlite:////abs/path``).

    Nothing connects yet. The engine may be made before a fork: a child opens connections of its
    own instead of sharing its parent's.

    Args:
        url: As in ``HILUM_DATABASE_URL``. Its own parameters replace the defaults.
        pool_size: Most connections of this process; a thread beyond it waits for one to be free.
        statement_timeout_s: Longest statement (PostgreSQL); None for what the URL says, or 30.
        lock_timeout_s: Longest wait for a lock; None for what the URL says, or 10. Also the
            longest wait for a connection from the pool, 10 for None.

    Raises:
        InternalError: The URL names another database, or SQLite is too old.
    """
    address = read_address(url)
    wait_s = _LOCK_TIMEOUT_S if lock_timeout_s is None else lock_timeout_s
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": wait_s}
    if address.get_backend_name() == "sqlite":
        engine = _sqlite(address, pool, wait_s)
    else:
        timeouts = {"statement_timeout": statement_timeout_s, "lock_timeout": lock_timeout_s}
        engine = _postgresql(address, pool, timeouts)
    event.listen(engine, "connect", _note_process)
    event.listen(engine, "checkout", _refuse_dead)
    return engine


def _postgresql(url: URL, pool: dict[str, Any], timeouts: dict[str, float | None]) -> Engine:
    defaults = {
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "fallback_application_name": "hilum",
        # A server that vanished without a word is noticed in about half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": 30_000,
    }
    engine = sa.create_engine(
        url,
        **pool,
        hide_parameters=True,  # a trace in a log holds no pseudonym and no file name
        # The most recently used first: what a quiet night left over stays closed by the server.
        pool_use_lifo=True,
        paramstyle="format",  # values by place, as SQLite takes them too
        use_native_hstore=False,  # saves a query on every new connection
        connect_args={
            **{name: value for name, value in defaults.items() if name not in url.query},
            # Behind a pooler in transaction mode the next transaction has another session, which
            # does not know the statements that this one prepared.
            "prepare_threshold": None,
        },
    )
    event.listen(engine, "begin", _begin_postgresql(_settings(url, timeouts)))
    return engine


def _settings(url: URL, timeouts: dict[str, float | None]) -> dict[str, str]:
    """Return the server's settings for a transaction: asked for, or not in the URL's options."""
    seconds = {
        "statement_timeout": _STATEMENT_TIMEOUT_S,
        "lock_timeout": _LOCK_TIMEOUT_S,
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_TIMEOUT_S,
    }
    asked = {name: value for name, value in timeouts.items() if value is not None}
    settings = {name: f"{round(value * 1000)}" for name, value in {**seconds, **asked}.items()}
    settings["timezone"] = "'UTC'"
    own = settings_in(url) - asked.keys()
    return {name: value for name, value in settings.items() if name not in own}


def _begin_postgresql(settings: dict[str, str]) -> Callable[[Connection], None]:
    """Return what begins a transaction with these settings, in one round trip.

    They hold for the transaction alone. A session behind a pooler in transaction mode is shared
    with other clients, and a parameter of the connection would not get past the pooler.
    """
    scoped = "".join(f"; SET LOCAL {name} = {value}" for name, value in settings.items())

    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        level = options.get("isolation_level")
        if level == "AUTOCOMMIT":
            return
        isolation = f" ISOLATION LEVEL {level}" if level else ""
        access = "" if options.get(WRITE_OPTION, True) else " READ ONLY"
        run(connection, f"BEGIN{isolation}{access}{scoped}", ())

    return begin


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
