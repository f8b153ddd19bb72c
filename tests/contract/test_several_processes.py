"""Gateway and workers are processes of their own: they write to one database at once."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.audit import AuditEvent, first_broken_link
from hilum.domain.job import JobEvent, JobState, Priority
from hilum.domain.principal import worker
from tests.contract.samples import LEASE, NOW, a_film, an_analysis

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

PROCESSES = 4
FILMS = 15


def _run_films(url: str, process: int) -> int:
    """Accept films that every process has, run those that are won; the number of these."""
    engine = create_database_engine(url, lock_timeout_s=60)
    unit_of_work = SqlUnitOfWork(engine)
    owner = f"worker-{process}"
    finished = 0
    for number in range(FILMS):
        film = a_film(idempotency_key=f"film-{number}")
        with unit_of_work.begin() as transaction:
            tagged = transaction.work_flows.tagged([film.job])
            job = transaction.jobs.add_new(tagged)[film.job.idempotency_key]
            if job.id == film.job.id:
                transaction.submissions.add_instances(film.submission, [film.instance])
            transaction.audit.append(
                [AuditEvent(worker(owner), "job.seen", "job", str(job.id), NOW)]
            )
        with unit_of_work.begin() as transaction:
            # Reading first: a transaction that becomes a writer late must wait its turn too.
            assert transaction.jobs.get(job.id) is not None
            mine = transaction.jobs.claim(list(Priority), owner, LEASE)
        if mine is None:
            continue
        job = mine
        with unit_of_work.begin() as transaction:
            transaction.jobs.finish(job, JobEvent.COMPLETE)
            finished += transaction.results.add(an_analysis(job))
            transaction.audit.append(
                [AuditEvent(worker(owner), "job.completed", "job", str(job.id), NOW)]
            )
    engine.dispose()
    return finished


def test_processes_share_the_work_and_the_chain(database_url: str) -> None:
    """Every film has one job and one result whoever ran it, and the audit chain is whole."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        finished = list(pool.map(partial(_run_films, database_url), range(PROCESSES)))
    assert sum(finished) == FILMS
    engine = create_database_engine(database_url)
    with SqlUnitOfWork(engine).begin(write=False) as transaction:
        counts = transaction.jobs.counts(None)
        records = transaction.audit.records()
    assert {state: number for state, number in counts.items() if number} == {
        JobState.COMPLETED: FILMS
    }
    assert len(records) == FILMS * PROCESSES + FILMS
    assert first_broken_link(records) is None
    engine.dispose()


@pytest.fixture
def warm_engine(database_url: str) -> Engine:
    """An engine whose pool holds an idle connection, as before a worker forks."""
    engine = create_database_engine(database_url)
    SqlUnitOfWork(engine).check()
    return engine


def test_forked_processes_do_not_share_a_connection(warm_engine: Engine) -> None:
    """Children and parent use the engine at once, and nobody reads another's answer."""
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_read_own_words, args=(warm_engine,)) for _ in range(3)]
    for child in children:
        child.start()
    _read_own_words(warm_engine)
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
    SqlUnitOfWork(warm_engine).check()
    warm_engine.dispose()


def _read_own_words(engine: Engine) -> None:
    words = uuid4().hex
    for _ in range(200):
        with engine.begin() as connection:
            assert connection.exec_driver_sql(f"SELECT '{words}'").scalar_one() == words
