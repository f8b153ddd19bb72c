"""Databases copied out and in: SQLite, and a real PostgreSQL with its own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres.database_copy import dump_script, facts_beside, open_database_copy
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.audit import AuditEvent
from hilum.domain.backup import AuditHead, DatabaseFacts
from hilum.domain.errors import DatabaseCopyFailed, DatabaseUnavailable
from hilum_stack.errors import ServerMissing
from tests.contract.samples import KEY, NOW, a_film
from tests.servers import server_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hilum_stack.postgres import PostgresServer

FILMS = 3


def require_client_programs() -> None:
    for program in ("pg_dump", "pg_restore", "psql"):
        if shutil.which(program) is None:
            server_missing(ServerMissing("PostgreSQL's client", f"`{program}` is not on the PATH"))


def fill(url: str, films: int = FILMS) -> None:
    """Put films and audit events into a database."""
    engine = create_database_engine(url, pool_size=1)
    with closing(_Disposed(engine)), SqlUnitOfWork(engine).begin() as transaction:
        for _ in range(films):
            film = a_film()
            transaction.jobs.add_new([film.job])
            transaction.submissions.add_instances(film.submission, [film.instance])
            event = AuditEvent(KEY, "job.accepted", "job", str(film.job.id), NOW)
            transaction.audit.append([event])


class _Disposed:
    def __init__(self, engine: sa.Engine) -> None:
        self.close = engine.dispose


def execute(url: str, statement: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.fixture
def filled_url(database_url: str) -> str:
    """A database that holds films."""
    if database_url.startswith("postgresql"):
        require_client_programs()
    fill(database_url)
    return database_url


@pytest.fixture
def empty_url(filled_url: str, request: pytest.FixtureRequest, tmp_path) -> Iterator[str]:
    """A second database of the same kind, without a schema."""
    if filled_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/second.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    administer: Callable[[str], None] = request.getfixturevalue("administer_postgresql")
    name = f"empty_{uuid4().hex}"
    administer(f"CREATE DATABASE {name}")
    yield server.database_url(name)
    administer(f"DROP DATABASE {name} WITH (FORCE)")


def dumped(url: str) -> tuple[DatabaseFacts, bytes]:
    with open_database_copy(url).dump() as dump:
        return dump.facts, b"".join(dump.chunks)


def test_what_is_loaded_is_what_was_dumped(filled_url, empty_url):
    """Rows, schema, and the audit log to its head; the films' objects are named in order."""
    facts, dump = dumped(filled_url)
    assert facts.rows is not None
    assert facts.rows["instances"] == FILMS
    assert facts.audit is not None
    assert facts.audit.sequence == FILMS
    target = open_database_copy(empty_url)
    assert not target.holds_films()
    target.clear()
    target.load([dump[:1000], dump[1000:]])
    assert target.facts() == facts
    assert target.holds_films()
    films = list(target.films())
    assert films == list(open_database_copy(filled_url).films())
    assert [film.key for film in films] == sorted(film.key for film in films)
    assert len(films) == FILMS


def test_an_empty_database_has_no_facts(empty_url):
    """Nothing to compare, and no film."""
    facts = open_database_copy(empty_url).facts()
    assert (facts.schema, facts.rows, facts.audit) == (None, {}, None)


def test_a_dump_shows_one_moment(filled_url):
    """Films that are accepted while the dump is read are in neither dump nor facts."""
    with open_database_copy(filled_url).dump() as dump:
        fill(filled_url)
        rest = b"".join(dump.chunks)
    assert rest
    assert dump.facts.audit is not None
    assert dump.facts.audit.sequence == FILMS
    now = open_database_copy(filled_url).facts()
    assert now.audit is not None
    assert now.audit.sequence == 2 * FILMS


def test_what_is_loaded_replaces_what_was_there(filled_url, empty_url):
    """A newer schema's tables are gone, too, and so is the guard of the audit log before it."""
    facts, dump = dumped(filled_url)
    target = open_database_copy(empty_url)
    target.load([dump])
    fill(empty_url)
    execute(empty_url, "CREATE TABLE of_a_newer_release (id integer PRIMARY KEY)")
    target.clear()
    target.load([dump])
    assert target.facts() == facts


def test_a_dump_that_breaks_off_is_not_loaded(filled_url, empty_url):
    """What the source raises is passed on, and the database is as empty as before."""
    _, dump = dumped(filled_url)

    def breaking() -> Iterator[bytes]:
        yield dump[: len(dump) // 2]
        raise KeyboardInterrupt

    target = open_database_copy(empty_url)
    with pytest.raises(KeyboardInterrupt):
        target.load(breaking())
    assert not target.holds_films()


def test_a_damaged_dump_is_not_loaded(filled_url, empty_url):
    """What is no dump is told as such."""
    target = open_database_copy(empty_url)
    with pytest.raises((DatabaseCopyFailed, DatabaseUnavailable)):
        target.load([b"no dump at all" * 1000])
    assert not target.holds_films()


@pytest.mark.real
def test_a_half_dump_is_not_loaded_by_postgresql(postgresql_url):
    """pg_restore says what is wrong, and its transaction leaves nothing."""
    require_client_programs()
    fill(postgresql_url)
    _, dump = dumped(postgresql_url)
    target = open_database_copy(postgresql_url)
    target.clear()
    with pytest.raises(DatabaseCopyFailed, match="end of file"):
        target.load([dump[: len(dump) // 2]])
    assert target.facts().rows == {}


@pytest.mark.real
def test_the_script_dumps_with_the_facts_of_the_same_moment(postgresql_url, tmp_path):
    """Where only PostgreSQL's own programs are, a shell script does what the command does."""
    require_client_programs()
    fill(postgresql_url)
    script, dump = tmp_path / "dump.sh", tmp_path / "database.dump"
    script.write_text(dump_script())
    environment = {**os.environ, "HILUM_DATABASE_URL": postgresql_url}
    done = subprocess.run(
        ["sh", str(script), str(dump)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    copy = open_database_copy(postgresql_url)
    assert facts_beside(dump) == copy.facts()
    copy.clear()
    copy.load([dump.read_bytes()])
    assert copy.facts() == facts_beside(dump)


@pytest.mark.real
def test_the_script_fails_where_the_dump_fails(postgresql_url, tmp_path):
    """No dump of half a database is left, and the container's status says so."""
    require_client_programs()
    script, dump = tmp_path / "dump.sh", tmp_path / "database.dump"
    script.write_text(dump_script())
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_dump").write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    (programs / "pg_dump").chmod(0o755)
    environment = {
        **os.environ,
        "HILUM_DATABASE_URL": postgresql_url,
        "PATH": f"{programs}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["sh", str(script), str(dump)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "broken" in done.stderr
    assert not dump.exists()


@pytest.mark.real
def test_other_sessions_are_counted(postgresql_url):
    """A restore under running workers is refused because of them."""
    copy = open_database_copy(postgresql_url)
    assert copy.sessions() == 0
    engine = create_database_engine(postgresql_url, pool_size=1)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        assert copy.sessions() == 1
    engine.dispose()


def test_no_facts_beside_a_dump_is_no_error(tmp_path):
    """Then it is PostgreSQL's, and nothing else is known."""
    assert facts_beside(tmp_path / "database.dump") == DatabaseFacts("postgresql")
    (tmp_path / "database.dump.facts").write_text("not JSON")
    with pytest.raises(DatabaseCopyFailed):
        facts_beside(tmp_path / "database.dump")


def test_the_head_is_the_last_event(sqlite_url):
    """Its number and its hash."""
    fill(sqlite_url, 1)
    facts = open_database_copy(sqlite_url).facts()
    assert facts.audit is not None
    assert facts.audit == AuditHead(1, facts.audit.hash)
    assert len(facts.audit.hash) == 64
