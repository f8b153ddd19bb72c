"""Bring a database to this release's schema."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from hilum.adapters.postgres.address import read_address
from hilum.adapters.postgres.concurrent_indices import build_missing
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.errors import translated_errors
from hilum.adapters.postgres.schema import require_compatible, require_schema
from hilum.adapters.postgres.tables import SCHEMA_STEPS
from hilum.domain.errors import DatabaseUnavailable, InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

SCRIPTS: Final = Path(__file__).with_name("migrations")

MIGRATION_LOCK: Final = 0x48696C756D_02
"""The PostgreSQL advisory lock of migrations (``Hilum`` in ASCII, then a number)."""

_FIRST_RECORDED: Final = "0004"
"""The step that made the table for what the steps say of older releases."""

_TURN_TIMEOUT_S: Final = 300
_TURN_PAUSE_S: Final = 0.1
_LOCK_TIMEOUT_S: Final = 5
_BUILD_LOCK_TIMEOUT_S: Final = 120
_STATEMENT_TIMEOUT_S: Final = 600


def head() -> str:
    """The newest revision in the folder.

    Raises:
        InternalError: The folder holds none, or more than one.
    """
    heads = ScriptDirectory(str(SCRIPTS)).get_heads()
    if len(heads) != 1:
        raise InternalError(f"{len(heads)} newest revisions in {SCRIPTS}")
    return heads[0]


def upgrade(url: str, revision: str = "head") -> None:
    """Run the steps that are missing, all in one transaction, then build the indices.

    Several processes may ask at once: one works, the others wait and find nothing to do. A step
    that waits for a table lock gives up after seconds, because every query behind it waits too;
    nothing has changed then, and it can be run again. An interrupted build of an index is repaired
    by the next run. A database that a newer release brought further is left as it is.

    Args:
        url: As in ``HILUM_DATABASE_URL``. For SQLite the folder is made when it is missing.
        revision: Where to stop.

    Raises:
        DatabaseUnavailable: The database or a lock cannot be had.
        SchemaIncompatible: The database is ahead, and this release cannot work with it.
        InternalError: A step failed; nothing has changed.
    """
    with _alone(url) as connection, _told_plainly():
        present = _revision(connection)
        if present is not None and present not in _works_from():
            require_compatible(connection, present)
            return
        command.upgrade(_config(connection), revision)
        _record_steps(connection)
    if read_address(url).get_backend_name() == "postgresql":
        _build_indices(url)


def downgrade(url: str, revision: str) -> None:
    """Undo steps down to a revision (``base`` for an empty database); what they held is lost.

    Raises:
        DatabaseUnavailable: The database or a lock cannot be had.
        InternalError: A step failed; nothing has changed.
    """
    with _alone(url) as connection, _told_plainly():
        command.downgrade(_config(connection), revision)
        _record_steps(connection)


def draft(url: str, message: str) -> Path:
    """Write the next step from what ``tables`` has and a migrated database has not.

    For developers; what comes out is a draft: read it, and add what Alembic does not compare
    (CHECKs, the predicates of partial indices, triggers).

    Args:
        url: A database at the newest revision.
        message: What the step does, for its name.

    Returns:
        The new file in ``versions``.

    Raises:
        DatabaseUnavailable: The database cannot be had.
        InternalError: It is not at the newest revision.
    """
    with _connected(url) as connection, _told_plainly():
        number = f"{int(head()) + 1:04}"
        made = command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    if not isinstance(made, Script):
        raise InternalError("the draft has more than one file")
    return Path(made.path)


def current(url: str) -> str | None:
    """The revision that a database has, None for an empty one.

    Raises:
        DatabaseUnavailable: It cannot be reached.
    """
    with _connected(url) as connection:
        return _revision(connection)


def check(url: str) -> str:
    """The revision of the database, if this release can work with it.

    Raises:
        DatabaseUnavailable: The database is behind, or cannot be reached.
        SchemaIncompatible: It is ahead, and this release cannot work with it.
    """
    with _connected(url) as connection:
        return require_schema(connection)


def _build_indices(url: str) -> None:
    """Build in a session of its own, while another one keeps the turn."""
    engine = create_database_engine(url, pool_size=1)
    try:
        with _alone(url) as turn:
            if _revision(turn) != head():
                return
            turn.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                build_missing(connection, _BUILD_LOCK_TIMEOUT_S)
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _works_from() -> dict[str, str]:
    """By step of the folder, the oldest revision whose release goes on working after it."""
    steps = ScriptDirectory(str(SCRIPTS)).walk_revisions()
    return {step.revision: step.module.works_from for step in steps}


def _record_steps(connection: Connection) -> None:
    """Leave in the database what older releases have to know of the steps that it has gone."""
    present = _revision(connection)
    if present is None or present < _FIRST_RECORDED:
        return
    rows = {step: oldest for step, oldest in _works_from().items() if step <= present}
    recorded = {row[0]: row[1] for row in connection.execute(sa.select(SCHEMA_STEPS))}
    if rows != recorded:
        connection.execute(sa.delete(SCHEMA_STEPS))
        connection.execute(
            sa.insert(SCHEMA_STEPS),
            [{"revision": step, "works_from": oldest} for step, oldest in rows.items()],
        )


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Raise what Alembic finds wrong, such as a revision of a newer release, as InternalError."""
    try:
        yield
    except CommandError as error:
        raise InternalError(f"the migration cannot run: {error}") from error


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_database_engine(url, pool_size=1)
    try:
        with translated_errors(), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _wait_for_turn(connection: Connection) -> None:
    """Ask in one transaction after the other: the build of an index waits for all older ones."""
    mine = sa.select(sa.func.pg_try_advisory_xact_lock(MIGRATION_LOCK))
    deadline = monotonic() + _TURN_TIMEOUT_S
    while not connection.execute(mine).scalar_one():
        if monotonic() > deadline:
            raise DatabaseUnavailable("another process upgrades the schema, and does not end")
        connection.rollback()
        sleep(_TURN_PAUSE_S)


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """A write transaction that no other migration shares."""
    parsed = read_address(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_database_engine(
        url,
        pool_size=1,
        statement_timeout_s=_STATEMENT_TIMEOUT_S,
        lock_timeout_s=_TURN_TIMEOUT_S,
    )
    try:
        with translated_errors(), engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                _wait_for_turn(connection)
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'")
                yield connection
            else:
                # A step that copies a table drops the old one, and its rows have children. The
                # setting is ignored inside a transaction, so it goes round SQLAlchemy's.
                connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise InternalError("a migration broke a foreign key; nothing has changed")
            connection.commit()
    finally:
        engine.dispose()
