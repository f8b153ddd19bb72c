"""PostgreSQL as a whole, by its own programs ``pg_dump`` and ``pg_restore``."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

import sqlalchemy as sa

from hilum.adapters.postgres.engine import WRITE_OPTION
from hilum.adapters.postgres.errors import translated_errors
from hilum.adapters.postgres.film_rows import film_rows, holds_films, named_keys
from hilum.application.ports.database_copy import Dump
from hilum.domain.backup import DatabaseFacts, read_facts
from hilum.domain.errors import DatabaseCopyFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from sqlalchemy.engine import URL, Connection, Engine

    from hilum.application.ports.database_copy import FilmObject

FACTS_SQL: Final = Path(__file__).with_name("facts.sql").read_text(encoding="utf-8").strip()

OWN_NAME: Final = "hilum backup"
"""What its own sessions call themselves; those of gateways and workers are called ``hilum``."""

_CHUNK_BYTES: Final = 256 * 1024
_LOCK_WAIT: Final = "60s"
_TOLD_LINES: Final = 3
_SESSION: Final = "SELECT pg_backend_pid()"

_SESSIONS: Final = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
    "AND application_name = 'hilum'"
)
_OWN_OBJECTS: Final = sa.text(
    # What belongs to an extension is the extension's.
    "SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' "
    "WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'S') "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') "
    "UNION ALL "
    "SELECT 'FUNCTION', p.oid::regprocedure::text FROM pg_proc p "
    "JOIN pg_namespace n ON n.oid = p.pronamespace "
    "WHERE n.nspname = current_schema() AND p.prokind IN ('f', 'w') "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
)


class PostgresqlCopy:
    """See :class:`hilum.application.ports.database_copy.DatabaseCopy`.

    The programs must be at least as new as the server. The password reaches them by the
    environment, never by an argument that other users of the machine could read.
    """

    def __init__(self, engine: Engine, url: URL) -> None:
        self._engine = engine
        self._url = url

    @contextlib.contextmanager
    def dump(self) -> Iterator[Dump]:
        """A dump in PostgreSQL's custom format, and the facts of the same snapshot."""
        _require_program("pg_dump")
        self._require_sessions()
        with translated_errors(), self._snapshot() as connection:
            snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
            facts = _facts(connection)
            options = ("--format=custom", "--no-owner", "--no-privileges")
            arguments = (*options, f"--lock-wait-timeout={_LOCK_WAIT}", f"--snapshot={snapshot}")
            with self._running("pg_dump", *arguments) as program:
                yield Dump(facts, program.output())

    def facts(self) -> DatabaseFacts:
        """What the database holds now; an empty one has no schema."""
        with translated_errors(), self._snapshot() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return DatabaseFacts("postgresql", schema=None, rows={}, audit=None)
            return _facts(connection)

    def require_loadable(self) -> None:
        """Return if ``pg_restore`` is installed and would have a session of its own."""
        _require_program("pg_restore")
        self._require_sessions()

    def holds_films(self) -> bool:
        """Whether a film was ever accepted."""
        with translated_errors(), self._engine.begin() as connection:
            return holds_films(connection)

    def sessions(self) -> int:
        """Other sessions of Hilum's own processes, which call themselves ``hilum``."""
        with translated_errors(), self._engine.begin() as connection:
            return int(connection.execute(_SESSIONS).scalar_one())

    def clear(self) -> None:
        """Drop tables, views, sequences and functions of the schema, but no extension's."""
        with translated_errors(), self._engine.begin() as connection:
            for kind, name in connection.execute(_OWN_OBJECTS).all():
                connection.exec_driver_sql(f"DROP {kind} IF EXISTS {name} CASCADE")

    def load(self, chunks: Iterable[bytes]) -> None:
        """Load a dump of the custom format in one transaction."""
        _require_program("pg_restore")
        with translated_errors(), self._engine.begin() as connection:
            schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
        with self._running("pg_restore", *options, f"--schema={schema}") as program:
            program.feed(chunks)

    def films(self) -> Iterator[FilmObject]:
        """The objects that rows name, in order."""
        with translated_errors(), self._snapshot() as connection:
            yield from film_rows(connection)

    def named(self, keys: Collection[str]) -> set[str]:
        """Those of these keys that rows name now."""
        with translated_errors(), self._engine.begin() as connection:
            return named_keys(connection, keys)

    def _require_sessions(self) -> None:
        """Return if a connection keeps its session from one transaction to the next.

        Both programs change settings of their session, the search path among them. A pooler in
        transaction mode would hand that session to gateways and workers.
        """
        with translated_errors(), self._engine.connect() as first, self._engine.connect() as other:
            before = first.exec_driver_sql(_SESSION).scalar_one()
            first.rollback()
            # A pooler gives the session that became free last, and this transaction keeps it.
            taken = other.exec_driver_sql(_SESSION).scalar_one()
            if taken == before or first.exec_driver_sql(_SESSION).scalar_one() != before:
                raise DatabaseCopyFailed(
                    "a pooler in transaction mode answers at this address: give the address of "
                    "PostgreSQL itself (docs/backup.md)"
                )

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        isolated = self._engine.execution_options(
            isolation_level="REPEATABLE READ", **{WRITE_OPTION: False}
        )
        with isolated.begin() as connection:
            # Waits for pg_dump, or for whoever reads the rows.
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection

    def _running(self, name: str, *arguments: str) -> contextlib.AbstractContextManager[_Program]:
        plain = self._url.set(drivername="postgresql", password=None)
        address = f"--dbname={plain.render_as_string(hide_password=False)}"
        environment = {**os.environ, "PGAPPNAME": OWN_NAME}
        if self._url.password:
            environment["PGPASSWORD"] = str(self._url.password)
        return _run([name, *arguments, address], environment)


class _Program:
    """A child that writes or reads a dump."""

    def __init__(self, child: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._child = child
        self._said = said

    def output(self) -> Iterator[bytes]:
        """What it writes; its end is told apart from its breaking off.

        Raises:
            DatabaseCopyFailed: It ended with an error.
        """
        source = cast("IO[bytes]", self._child.stdout)
        while chunk := source.read(_CHUNK_BYTES):
            yield chunk
        self._require_success()

    def feed(self, chunks: Iterable[bytes]) -> None:
        """Give it bytes, then wait for it.

        Raises:
            DatabaseCopyFailed: It ended with an error.
        """
        sink = cast("IO[bytes]", self._child.stdin)
        with contextlib.suppress(BrokenPipeError):  # it says itself why it reads no more
            for chunk in chunks:
                sink.write(chunk)
        with contextlib.suppress(BrokenPipeError):
            sink.close()
        self._require_success()

    def _require_success(self) -> None:
        if self._child.wait() != 0:
            self._said.seek(0)
            lines = self._said.read().decode(errors="replace").strip().splitlines()
            told = " ".join(lines[:_TOLD_LINES]) or f"status {self._child.returncode}"
            raise DatabaseCopyFailed(told)


@contextlib.contextmanager
def _run(command: list[str], environment: dict[str, str]) -> Iterator[_Program]:
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=environment
        )
        try:
            yield _Program(child, said)
        finally:
            # Whoever stops reading or writing in the middle wants none of it: pg_restore's
            # transaction ends with its connection.
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(BrokenPipeError):
                    if pipe is not None:
                        pipe.close()


def _facts(connection: Connection) -> DatabaseFacts:
    document = json.loads(connection.exec_driver_sql(FACTS_SQL.replace("%", "%%")).scalar_one())
    document["rows"] = document["rows"] or {}
    return read_facts(document)


def _require_program(name: str) -> None:
    if shutil.which(name) is None:
        raise DatabaseCopyFailed(
            f"`{name}` is not installed here: install PostgreSQL's client programs, or leave the "
            "dump to a container that has them (docs/backup.md)"
        )
