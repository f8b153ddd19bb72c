"""A SQLite database as a whole, by SQLite's own online backup."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.engine import WRITE_OPTION
from hilum.adapters.postgres.errors import translated_errors
from hilum.adapters.postgres.film_rows import film_rows, holds_films, named_keys
from hilum.application.ports.database_copy import Dump
from hilum.domain.backup import AuditHead, DatabaseFacts
from hilum.domain.errors import DatabaseCopyFailed, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from sqlalchemy.engine import Connection, Engine

    from hilum.application.ports.database_copy import FilmObject

_CHUNK_BYTES: Final = 256 * 1024


class SqliteCopy:
    """See :class:`hilum.application.ports.database_copy.DatabaseCopy`. The dump is a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**{WRITE_OPTION: False})
        self._path = Path(str(engine.url.database))

    @contextlib.contextmanager
    def dump(self) -> Iterator[Dump]:
        """A copy of the file, made while others write to it."""
        with _beside(self._path) as copy:
            with _translated():
                _copy(self._path, copy)
            engine = sa.create_engine(f"sqlite:///{copy}")
            try:
                with translated_errors(), engine.begin() as connection:
                    facts = _facts(connection)
            finally:
                engine.dispose()
            yield Dump(facts, _read(copy))

    def facts(self) -> DatabaseFacts:
        """What the database holds now."""
        with translated_errors(), self._engine.begin() as connection:
            return _facts(connection)

    def require_loadable(self) -> None:
        """SQLite is always there."""

    def holds_films(self) -> bool:
        """Whether a film was ever accepted."""
        with translated_errors(), self._engine.begin() as connection:
            return holds_films(connection)

    def sessions(self) -> int:
        """SQLite cannot tell."""
        return 0

    def clear(self) -> None:
        """Nothing: what is loaded replaces the whole file in one transaction."""

    def load(self, chunks: Iterable[bytes]) -> None:
        """Replace the database by a copy, in one transaction of SQLite."""
        with _beside(self._path) as copy:
            with copy.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)
            with _translated(), contextlib.closing(sqlite3.connect(copy)) as made:
                if made.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    raise DatabaseCopyFailed("the dump is no whole SQLite database")
            self._engine.dispose()
            with _translated():
                _copy(copy, self._path)

    def films(self) -> Iterator[FilmObject]:
        """The objects that rows name, in order."""
        with translated_errors(), self._engine.begin() as connection:
            yield from film_rows(connection)

    def named(self, keys: Collection[str]) -> set[str]:
        """Those of these keys that rows name now."""
        with translated_errors(), self._engine.begin() as connection:
            return named_keys(connection, keys)


def _facts(connection: Connection) -> DatabaseFacts:
    names = set(sa.inspect(connection).get_table_names())
    rows = {
        name: int(connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one())  # noqa: S608 - a name that the database gave
        for name in sorted(names - {"alembic_version"})
    }
    schema = head = None
    if "alembic_version" in names:
        schema = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if "audit_events" in names:
        head = connection.exec_driver_sql(
            "SELECT sequence, hash FROM audit_events ORDER BY sequence DESC LIMIT 1"
        ).first()
    return DatabaseFacts("sqlite", schema, rows, AuditHead(head[0], head[1]) if head else None)


def _copy(source: Path, target: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(source, timeout=30)) as read,
        contextlib.closing(sqlite3.connect(target, timeout=30)) as written,
    ):
        # In one step: in pieces it would begin again whenever somebody has written meanwhile.
        read.backup(written)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file in a fresh folder on the same disk, readable by this user alone."""
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as folder:
        yield Path(folder) / "hilum.db"


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:  # locked, full, not to be opened
        raise DatabaseUnavailable(f"the database does not answer: {error}") from error
    except sqlite3.Error as error:
        raise DatabaseCopyFailed(f"the database cannot be copied: {error}") from error


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
