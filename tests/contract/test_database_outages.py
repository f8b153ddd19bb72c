"""A real PostgreSQL that restarts, stalls or locks: what callers see, and that they recover."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.job import JobEvent
from hilum_stack.postgres import PostgresServer
from tests.contract.samples import a_film, accepted, an_event, claim, claimed, seconds
from tests.servers import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine

    from hilum.domain.job import Job

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that only these tests use: they stop it."""
    with started(PostgresServer) as server:
        migrate.upgrade(server.url)
        yield server


@pytest.fixture
def engine(own_server: PostgresServer) -> Iterator[Engine]:
    """Connections that give up soon."""
    engine = create_database_engine(own_server.url, statement_timeout_s=2, lock_timeout_s=0.2)
    yield engine
    engine.dispose()


def _warm(engine: Engine, connections: int) -> None:
    """Leave this many idle connections in the pool."""
    held = [engine.connect() for _ in range(connections)]
    for connection in held:
        connection.exec_driver_sql("SELECT 1")
    for connection in held:
        connection.close()


def test_idle_connections_do_not_outlive_a_restart(
    own_server: PostgresServer, engine: Engine
) -> None:
    """After a restart the very first transactions work, although every pooled connection died."""
    unit_of_work = SqlUnitOfWork(engine)
    job = accepted(unit_of_work)
    _warm(engine, 4)
    own_server.restart()
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(_read, unit_of_work, job) for _ in range(8)]
        assert [future.result() for future in found] == [job] * 8
    assert claim(unit_of_work) is not None


def _read(unit_of_work: SqlUnitOfWork, job: Job) -> Job | None:
    with unit_of_work.begin(write=False) as transaction:
        return transaction.jobs.get(job.id)


def test_a_restart_inside_a_transaction_writes_nothing(
    own_server: PostgresServer, engine: Engine
) -> None:
    """The transaction ends as unavailable, the next one works."""
    unit_of_work = SqlUnitOfWork(engine)
    film = a_film()

    def accept_while_restarting() -> None:
        with unit_of_work.begin() as transaction:
            transaction.jobs.add_new([film.job])
            own_server.restart()
            transaction.submissions.add_instances(film.submission, [film.instance])

    with pytest.raises(DatabaseUnavailable):
        accept_while_restarting()
    assert _read(unit_of_work, film.job) is None


def test_a_restart_before_the_commit_writes_nothing(
    own_server: PostgresServer, engine: Engine
) -> None:
    """A commit that finds no server is unavailable too."""
    unit_of_work = SqlUnitOfWork(engine)
    film = a_film()

    def accept_then_restart() -> None:
        with unit_of_work.begin() as transaction:
            transaction.jobs.add_new([film.job])
            transaction.submissions.add_instances(film.submission, [film.instance])
            own_server.restart()

    with pytest.raises(DatabaseUnavailable):
        accept_then_restart()
    assert _read(unit_of_work, film.job) is None


def test_a_stopped_server_is_unavailable_until_it_is_back(
    own_server: PostgresServer, engine: Engine
) -> None:
    """Transactions, the check and the upgrade say so, without naming the password."""
    unit_of_work = SqlUnitOfWork(engine)
    _warm(engine, 2)
    own_server.stop()
    try:
        attempts: tuple[Callable[[], object], ...] = (
            lambda: _read(unit_of_work, a_film().job),
            unit_of_work.check,
            lambda: migrate.upgrade(own_server.url),
        )
        for attempt in attempts:
            with pytest.raises(DatabaseUnavailable) as caught:
                attempt()
            assert own_server.password not in str(caught.value)
    finally:
        own_server.launch()
    unit_of_work.check()


def test_a_statement_that_takes_too_long_is_cut_off(engine: Engine) -> None:
    """statement_timeout ends it as unavailable, and the connection stays usable."""
    unit_of_work = SqlUnitOfWork(engine)

    def dawdle() -> None:
        with unit_of_work.begin() as transaction:
            transaction._connection.execute(sa.func.pg_sleep(60).select())  # noqa: SLF001

    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        dawdle()
    unit_of_work.check()


def test_a_lock_that_is_not_given_is_unavailable(engine: Engine) -> None:
    """lock_timeout ends a wait for a row, and a wait for the audit chain."""
    unit_of_work = SqlUnitOfWork(engine)
    job = claimed(unit_of_work)

    def finish() -> None:
        with unit_of_work.begin() as transaction:
            transaction.jobs.finish(job, JobEvent.COMPLETE)

    def append() -> None:
        with unit_of_work.begin() as transaction:
            transaction.audit.append([an_event()])

    with unit_of_work.begin() as holder:
        holder.jobs.extend_leases("worker-1", [job.id], seconds(9))
        holder.audit.append([an_event()])
        for waiter in (finish, append):
            with pytest.raises(DatabaseUnavailable, match="lock timeout"):
                waiter()


def test_a_pool_that_is_used_up_is_unavailable(own_server: PostgresServer) -> None:
    """A thread that gets no connection in time is told so."""
    engine = create_database_engine(own_server.url, pool_size=1, lock_timeout_s=0.1)
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work.begin(), pytest.raises(DatabaseUnavailable, match="no database connection"):
        unit_of_work.check()
    engine.dispose()


def test_a_lock_is_held_by_one_transaction(engine: Engine) -> None:
    """A second transaction gets False at once; other names are free."""
    unit_of_work = SqlUnitOfWork(engine)
    with unit_of_work.begin() as first, unit_of_work.begin() as second:
        assert first.try_lock("reconcile")
        assert not second.try_lock("reconcile")
        assert second.try_lock("another")


@pytest.mark.parametrize("commit", [True, False])
def test_the_later_of_two_same_films_waits_for_the_earlier(
    own_server: PostgresServer, *, commit: bool
) -> None:
    """It finds the earlier's job once that is committed, and adds its own if that is undone."""
    engine = create_database_engine(own_server.url)
    unit_of_work = SqlUnitOfWork(engine)
    earlier = a_film()
    later = a_film(idempotency_key=earlier.job.idempotency_key)
    finish = threading.Event()

    def submit_earlier() -> None:
        with unit_of_work.begin() as transaction:
            transaction.jobs.add_new([earlier.job])
            transaction.submissions.add_instances(earlier.submission, [earlier.instance])
            inserted.set()
            assert finish.wait(30)
            if not commit:
                raise ZeroDivisionError

    def submit_later() -> Job:
        with unit_of_work.begin() as transaction:
            held = transaction.jobs.add_new([later.job])[later.job.idempotency_key]
            if held == later.job:
                transaction.submissions.add_instances(later.submission, [later.instance])
        return held

    inserted = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(submit_earlier)
        assert inserted.wait(30)
        second = pool.submit(submit_later)
        _await_lock_wait(engine)
        finish.set()
        assert second.result() == (earlier.job if commit else later.job)
        assert isinstance(first.exception(), type(None) if commit else ZeroDivisionError)
    engine.dispose()


def _await_lock_wait(engine: Engine) -> None:
    """Return once some session of this database waits for another's transaction to end."""
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(waiting).scalar_one():
            os.sched_yield()


def test_two_transactions_that_lock_each_other_end(own_server: PostgresServer) -> None:
    """PostgreSQL ends one of a deadlock, as unavailable: it may simply be run again."""
    engine = create_database_engine(own_server.url)
    unit_of_work = SqlUnitOfWork(engine)
    jobs = [claimed(unit_of_work), claimed(unit_of_work)]
    both_hold_one = threading.Barrier(2)

    def renew(order: list[Job]) -> None:
        with unit_of_work.begin() as transaction:
            transaction.jobs.extend_leases("worker-1", [order[0].id], seconds(9))
            both_hold_one.wait(30)
            transaction.jobs.extend_leases("worker-1", [order[1].id], seconds(9))

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(renew, order) for order in (jobs, jobs[::-1])]
    assert {type(one.exception()) for one in both} == {type(None), DatabaseUnavailable}
    engine.dispose()
