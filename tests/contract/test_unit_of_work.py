"""What a unit of work promises, on every database: all or nothing, and one at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

import pytest

from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum.domain.errors import InternalError
from hilum.domain.job import JobEvent, JobState, Priority
from tests.contract.samples import LEASE, NOW, a_film, accepted, an_analysis, claim, claimed, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.job import Job

THREADS = 4
ROUNDS = 10


def test_a_block_that_raises_leaves_no_trace(unit_of_work: UnitOfWork) -> None:
    """What it wrote is undone, and its error comes out as it is."""
    running = claimed(unit_of_work)
    film = a_film()

    def fail_after_writing() -> NoReturn:
        with unit_of_work.begin() as transaction:
            transaction.jobs.add_new([film.job])
            transaction.submissions.add_instances(film.submission, [film.instance])
            transaction.jobs.finish(running, JobEvent.COMPLETE)
            transaction.results.add(an_analysis(running))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    assert stored(unit_of_work, running.id) == running
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.get(film.job.id) is None
        assert transaction.submissions.instance(film.instance.id) is None
        assert transaction.results.get(running.id) is None


def test_a_block_sees_what_it_wrote(unit_of_work: UnitOfWork) -> None:
    """Before the commit, and nobody else does."""
    film = a_film()
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new([film.job])
        transaction.submissions.add_instances(film.submission, [film.instance])
        assert transaction.jobs.get(film.job.id) == film.job
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_get, unit_of_work, film.job).result() is None
    assert _get(unit_of_work, film.job) == film.job


def _get(unit_of_work: UnitOfWork, job: Job) -> Job | None:
    with unit_of_work.begin(write=False) as transaction:
        return transaction.jobs.get(job.id)


def test_a_block_has_one_moment(unit_of_work: UnitOfWork) -> None:
    """In UTC, and the same however often it is asked for."""
    for write in (True, False, True):
        before = datetime.now(UTC)
        with unit_of_work.begin(write=write) as transaction:
            now = transaction.now
            assert now.utcoffset() == timedelta()
            assert before <= now <= datetime.now(UTC)
            assert transaction.now == now


@pytest.mark.real
def test_that_moment_is_the_databases(postgresql_url: str) -> None:
    """A server whose clock stands at another year gives that year."""
    engine = create_database_engine(postgresql_url)
    with SqlUnitOfWork(engine).begin() as transaction:
        connection = transaction._connection  # noqa: SLF001 - no port sets a server's clock
        connection.exec_driver_sql(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz"
            " LANGUAGE sql AS $$ SELECT timestamptz '2020-02-29 12:00+00' $$"
        )
        connection.exec_driver_sql("SET LOCAL search_path = public, pg_catalog")
        assert transaction.now == datetime(2020, 2, 29, 12, tzinfo=UTC)
    engine.dispose()


def test_a_read_only_block_cannot_write(unit_of_work: UnitOfWork) -> None:
    """Every kind of change is refused, whether or not it would have found its row."""
    job = accepted(unit_of_work)
    changes: tuple[Callable[[Transaction], object], ...] = (
        lambda t: t.jobs.add_new([a_film().job]),
        lambda t: t.jobs.claim(list(Priority), "worker-1", LEASE),
        lambda t: t.jobs.finish(replace(job, state=JobState.RUNNING), JobEvent.COMPLETE),
        lambda t: t.work_flows.tagged([job]),
        lambda t: t.jobs.extend_leases("worker-1", [job.id], LEASE),
        lambda t: t.api_keys.revoke("key-1", NOW),
        lambda t: t.try_lock("reconcile"),
    )
    for change in changes:
        with pytest.raises(InternalError), unit_of_work.begin(write=False) as transaction:
            change(transaction)
    assert stored(unit_of_work, job.id) == job
    assert claim(unit_of_work) is not None


def test_a_ready_database_passes_the_check(unit_of_work: UnitOfWork) -> None:
    """The check of a migrated database returns."""
    unit_of_work.check()


def test_a_lock_ends_with_its_transaction(unit_of_work: UnitOfWork) -> None:
    """After a commit and after a failure it can be had again."""

    def fail_with_lock() -> NoReturn:
        with unit_of_work.begin() as transaction:
            assert transaction.try_lock("reconcile")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_with_lock()
    for _ in range(2):
        with unit_of_work.begin() as transaction:
            assert transaction.try_lock("reconcile")


def test_of_many_claims_one_gets_the_job(unit_of_work: UnitOfWork) -> None:
    """Threads that claim at once share the jobs, each job to exactly one."""
    jobs = [accepted(unit_of_work) for _ in range(ROUNDS)]
    start = threading.Barrier(THREADS)

    def work(worker: int) -> list[Job]:
        start.wait()
        return list(iter(lambda: claim(unit_of_work, f"worker-{worker}"), None))

    with ThreadPoolExecutor(THREADS) as pool:
        got = [job for share in pool.map(work, range(THREADS)) for job in share]
    assert sorted(job.id for job in got) == sorted(job.id for job in jobs)
    assert all(stored(unit_of_work, job.id) == job for job in got)
    assert {job.attempts for job in got} == {1}


def test_of_many_same_films_one_gets_a_job(unit_of_work: UnitOfWork) -> None:
    """Batches that hold the same films, in any order, at once: one job each, and all see it."""
    start = threading.Barrier(THREADS)

    def submit(submitter: int) -> list[dict[str, Job]]:
        answers = []
        for number in range(ROUNDS):
            films = [a_film(idempotency_key=f"{number}-{letter}") for letter in "abc"]
            if submitter % 2:
                films.reverse()
            start.wait()
            with unit_of_work.begin() as transaction:
                held = dict(transaction.jobs.add_new([film.job for film in films]))
                for film in films:
                    if held[film.job.idempotency_key] == film.job:
                        transaction.submissions.add_instances(film.submission, [film.instance])
            answers.append(held)
        return answers

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(submit, range(THREADS)))
    assert all(answer == answers[0] for answer in answers)
    with unit_of_work.begin(write=False) as transaction:
        assert sum(transaction.jobs.counts(None).values()) == ROUNDS * 3


def test_of_two_results_one_is_kept(unit_of_work: UnitOfWork) -> None:
    """Workers that write a result for one job at once: exactly one is told that it did."""
    job = accepted(unit_of_work)
    start = threading.Barrier(THREADS)

    def write(worker: int) -> bool:
        analysis = replace(an_analysis(job), model_set=f"ms-{worker}")
        start.wait()
        with unit_of_work.begin() as transaction:
            return transaction.results.add(analysis)

    with ThreadPoolExecutor(THREADS) as pool:
        written = list(pool.map(write, range(THREADS)))
    assert sorted(written) == [False] * (THREADS - 1) + [True]
    with unit_of_work.begin(write=False) as transaction:
        kept = transaction.results.get(job.id)
    assert kept is not None
    assert kept.model_set == f"ms-{written.index(True)}"
