"""A real PgBouncer in transaction mode: sessions are shared, and nothing is left behind in one."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.audit_partitions import make_audit_partitions
from hilum.adapters.postgres.database_copy import dump_script, open_database_copy
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.audit import first_broken_link
from hilum.domain.errors import DatabaseCopyFailed, DatabaseUnavailable
from hilum.domain.job import JobEvent, JobState, Priority
from hilum_stack.postgres import PostgresServer
from tests.contract.samples import LEASE, a_film, accepted, an_analysis, an_event, claimed
from tests.pgbouncer import SESSION_DATABASE, PgBouncerServer
from tests.servers import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

pytestmark = pytest.mark.real

SESSIONS = 3
CLIENTS = 8
FILMS = 6


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of these tests' own: they look at its sessions."""
    with started(PostgresServer) as postgres:
        yield postgres


@pytest.fixture(scope="module")
def pooler(server: PostgresServer) -> Iterator[PgBouncerServer]:
    """A pooler with fewer sessions than clients, through which the schema was made."""
    with started(PgBouncerServer, server, SESSIONS) as pgbouncer:
        migrate.upgrade(pgbouncer.url)
        yield pgbouncer


@pytest.fixture
def engine(pooler: PgBouncerServer) -> Iterator[Engine]:
    """Connections that give up soon."""
    engine = create_database_engine(
        pooler.url, pool_size=CLIENTS, statement_timeout_s=2, lock_timeout_s=0.5
    )
    yield engine
    engine.dispose()


def _run_films(url: str, owner: str) -> int:
    """Accept, claim and finish films as gateway and worker do; the number of sessions used."""
    engine = create_database_engine(url, pool_size=1, lock_timeout_s=60)
    unit_of_work = SqlUnitOfWork(engine)
    sessions = set()
    for _ in range(FILMS):
        film = a_film(site=owner)
        with unit_of_work.begin() as transaction:
            transaction.jobs.add_new(transaction.work_flows.tagged([film.job]))
            transaction.submissions.add_instances(film.submission, [film.instance])
            transaction.audit.append([an_event()])
        with unit_of_work.begin() as transaction:
            mine = transaction.jobs.claim(list(Priority), owner, LEASE)
        assert mine is not None
        with unit_of_work.begin() as transaction:
            assert transaction.jobs.finish(mine, JobEvent.COMPLETE) is not None
            transaction.results.add(an_analysis(mine))
        with engine.begin() as connection:
            sessions.add(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    engine.dispose()
    return len(sessions)


def test_more_clients_than_sessions_do_their_work(pooler: PgBouncerServer) -> None:
    """Every image ends once, the audit chain is whole, and clients did change sessions."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        owners = [f"client-{number}" for number in range(CLIENTS)]
        sessions = list(pool.map(_run_films, [pooler.url] * CLIENTS, owners))
    assert max(sessions) > 1
    engine = create_database_engine(pooler.url)
    with SqlUnitOfWork(engine).begin(write=False) as transaction:
        counts = [
            transaction.jobs.counts(frozenset({owner}))[JobState.COMPLETED] for owner in owners
        ]
        assert first_broken_link(transaction.audit.records()) is None
    engine.dispose()
    assert counts == [FILMS] * CLIENTS


def test_a_session_keeps_nothing_of_a_transaction(
    server: PostgresServer, pooler: PgBouncerServer, engine: Engine
) -> None:
    """The next client of the same session finds the server's settings, no statement, no lock."""
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(4711)))
        session = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "2s"
    with psycopg.connect(pooler.url, autocommit=True) as other:
        assert other.execute("SELECT pg_backend_pid()").fetchone() == (session,)
        left = other.execute(
            "SELECT name, setting FROM pg_settings WHERE source = 'session'"
            " AND name IN ('statement_timeout', 'lock_timeout', 'search_path',"
            " 'idle_in_transaction_session_timeout')"
        ).fetchall()
        assert left == []
        assert other.execute("SELECT * FROM pg_prepared_statements").fetchall() == []
    with psycopg.connect(server.url) as direct:
        held = direct.execute("SELECT * FROM pg_locks WHERE locktype = 'advisory'").fetchall()
    assert held == []


def test_timeouts_hold_behind_the_pooler(engine: Engine) -> None:
    """A statement, and a wait for a row, end as unavailable, and the next transaction works."""
    unit_of_work = SqlUnitOfWork(engine)
    job = claimed(unit_of_work)

    def dawdle() -> None:
        with unit_of_work.begin() as transaction:
            transaction._connection.execute(sa.func.pg_sleep(60).select())  # noqa: SLF001

    def finish() -> None:
        with unit_of_work.begin() as transaction:
            transaction.jobs.finish(job, JobEvent.COMPLETE)

    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        dawdle()
    with unit_of_work.begin() as holder:
        assert holder.jobs.extend_leases("worker-1", [job.id], LEASE) == 1
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            finish()
    unit_of_work.check()


def test_a_named_lock_is_held_by_one_transaction(engine: Engine) -> None:
    """A second transaction gets False, and True once the first has ended."""
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work.begin() as second:
        with unit_of_work.begin() as first:
            assert first.try_lock("reconcile")
            assert not second.try_lock("reconcile")
        assert second.try_lock("reconcile")


def test_a_restart_of_the_pooler_is_survived(pooler: PgBouncerServer, engine: Engine) -> None:
    """Idle connections died with it, and the first transaction works."""
    unit_of_work = SqlUnitOfWork(engine)
    job = accepted(unit_of_work)
    pooler.restart()
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.get(job.id) == job
    pooler.stop()
    try:
        with pytest.raises(DatabaseUnavailable):
            unit_of_work.check()
    finally:
        pooler.launch()
    unit_of_work.check()


def test_commands_work_behind_the_pooler(pooler: PgBouncerServer, engine: Engine) -> None:
    """Schema, partitions, facts of one moment, and a walk over all rows."""
    accepted(SqlUnitOfWork(engine))
    migrate.upgrade(pooler.url)
    assert migrate.check(pooler.url) == migrate.head()
    partitions = make_audit_partitions(pooler.url, 4)
    assert partitions is not None
    assert partitions.ahead >= 4
    copy = open_database_copy(pooler.url)
    facts = copy.facts()
    assert facts.rows is not None
    assert len(list(copy.films())) == facts.rows["instances"] > 0


def test_a_dump_behind_the_pooler_is_refused(
    server: PostgresServer, pooler: PgBouncerServer, tmp_path: Path
) -> None:
    """Copy and script say what to do, other clients keep their search path.

    A direct connection and a pooler in session mode give a dump.
    """
    copy = open_database_copy(pooler.url)
    with pytest.raises(DatabaseCopyFailed, match="pooler in transaction mode"), copy.dump():
        pass
    with pytest.raises(DatabaseCopyFailed, match="pooler in transaction mode"):
        copy.require_loadable()
    for address in (server.url, pooler.database_url(SESSION_DATABASE)):
        with_sessions = open_database_copy(address)
        with_sessions.require_loadable()
        with with_sessions.dump() as dump:
            assert b"".join(dump.chunks)
    script = tmp_path / "dump.sh"
    script.write_text(dump_script())
    done = subprocess.run(
        ["sh", str(script), str(tmp_path / "database.dump")],
        env={**os.environ, "HILUM_DATABASE_URL": pooler.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "pooler in transaction mode" in done.stderr
    with psycopg.connect(pooler.url) as other:
        assert other.execute("SHOW search_path").fetchone() == ('"$user", public',)
