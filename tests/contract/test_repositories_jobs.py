"""What a job repository promises, on every database: adding, running and finishing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from hilum.domain.errors import InternalError, TransitionNotAllowed
from hilum.domain.job import JobEvent, JobState, Priority, Reason
from tests.contract.samples import (
    FAR,
    LEASE,
    NOW,
    a_film,
    accept,
    accepted,
    claim,
    claimed,
    elapse,
    seconds,
    stored,
)

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork

WHY = Reason("inference_unavailable", "no answer")


def test_a_job_comes_back_as_it_was_added(unit_of_work: UnitOfWork) -> None:
    """Every field survives the database, times to the microsecond and in UTC."""
    film = a_film(
        state=JobState.RUNNING,
        priority=Priority.STAT,
        attempts=3,
        losses=1,
        reason=Reason("worker_lost", "was lost"),
        timings_ms={"infer": 12.0, "decode": 0.1},
        lease_owner="worker-9",
        lease_expires_at=NOW + seconds(1),
        not_before=NOW + seconds(2),
        rung_at=NOW + seconds(3),
        started_at=NOW + seconds(4),
        finished_at=NOW + seconds(5),
    )
    accept(unit_of_work, film)
    found = stored(unit_of_work, film.job.id)
    assert found == film.job
    assert found.created_at.utcoffset() == seconds(0)
    assert isinstance(found.state, JobState)
    assert isinstance(found.priority, Priority)


def test_a_job_that_is_not_there_is_none(unit_of_work: UnitOfWork) -> None:
    """An unknown id gives None, for reading and for every change."""
    with unit_of_work.begin() as transaction:
        jobs = transaction.jobs
        assert jobs.get(uuid4()) is None
        assert jobs.claim(list(Priority), "worker-1", LEASE) is None
        running = a_film(state=JobState.RUNNING, lease_owner="w", started_at=NOW).job
        assert jobs.finish(running, JobEvent.COMPLETE) is None
        failed = a_film(state=JobState.FAILED).job
        assert jobs.change(failed, JobEvent.RETRY) is None
        assert jobs.change(failed, JobEvent.DISCARD) is None


def test_the_same_key_gives_the_job_that_exists(unit_of_work: UnitOfWork) -> None:
    """Of a batch, the known film answers with its first job and the new one with its own."""
    first = accepted(unit_of_work, idempotency_key="b")
    again, fresh = a_film(idempotency_key="b"), a_film(idempotency_key="a")
    with unit_of_work.begin() as transaction:
        held = transaction.jobs.add_new([again.job, fresh.job])
        transaction.submissions.add_instances(fresh.submission, [fresh.instance])
    assert held == {"a": fresh.job, "b": first}


def test_a_batch_that_holds_a_film_twice_gets_one_job(unit_of_work: UnitOfWork) -> None:
    """Of two jobs with one key in one call, the first is added."""
    film, twin = a_film(idempotency_key="same"), a_film(idempotency_key="same")
    with unit_of_work.begin() as transaction:
        held = transaction.jobs.add_new([film.job, twin.job])
        transaction.submissions.add_instances(film.submission, [film.instance])
    assert held == {"same": film.job}


def test_adding_no_job_is_nothing(unit_of_work: UnitOfWork) -> None:
    """An empty batch answers with nothing."""
    with unit_of_work.begin() as transaction:
        assert transaction.jobs.add_new([]) == {}


def test_a_large_batch_is_added_whole(unit_of_work: UnitOfWork) -> None:
    """A batch larger than one statement's page of rows loses none and repeats none."""
    films = [a_film() for _ in range(1500)]
    accept(unit_of_work, *films)
    with unit_of_work.begin() as transaction:
        again = transaction.jobs.add_new([replace(film.job, id=uuid4()) for film in films])
    assert again == {film.job.idempotency_key: film.job for film in films}


def test_jobs_may_come_before_their_study(unit_of_work: UnitOfWork) -> None:
    """References are checked at the commit, and there they are."""
    film = a_film()
    with (
        pytest.raises(InternalError),
        unit_of_work.begin() as transaction,
    ):
        transaction.jobs.add_new([film.job])
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.get(film.job.id) is None


def test_a_claim_takes_a_queued_job(unit_of_work: UnitOfWork) -> None:
    """From queued to running, with owner, lease and one more attempt; its wait is over."""
    job = accepted(unit_of_work, not_before=NOW, attempts=1, reason=WHY, rung_at=NOW)
    running = claim(unit_of_work, "worker-1")
    assert running is not None
    assert running.started_at is not None
    assert running.lease_expires_at is not None
    assert abs(running.started_at - datetime.now(UTC)) < seconds(300)
    assert abs(running.lease_expires_at - running.started_at - LEASE) < seconds(1)
    assert running == replace(
        job,
        state=JobState.RUNNING,
        attempts=2,
        lease_owner="worker-1",
        lease_expires_at=running.lease_expires_at,
        not_before=None,
        started_at=running.started_at,
        updated_at=running.updated_at,
    )
    assert stored(unit_of_work, job.id) == running


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.QUEUED])
def test_only_a_queued_job_is_claimed(unit_of_work: UnitOfWork, state: JobState) -> None:
    """What runs or is done is nothing to claim."""
    job = accepted(unit_of_work, state=state)
    assert claim(unit_of_work, "worker-2") is None
    assert stored(unit_of_work, job.id) == job


def test_a_job_in_backoff_is_not_claimed(unit_of_work: UnitOfWork) -> None:
    """A claim before ``not_before`` gets nothing, at that moment it gets the job."""
    job = accepted(unit_of_work, not_before=FAR)
    assert claim(unit_of_work) is None
    elapse(unit_of_work, FAR - NOW)
    running = claim(unit_of_work)
    assert running is not None
    assert running.id == job.id


def test_a_heartbeat_moves_the_leases_that_its_worker_holds(unit_of_work: UnitOfWork) -> None:
    """It counts and moves this owner's running jobs, not those of others or ended ones."""
    mine, other = claimed(unit_of_work), claimed(unit_of_work, owner="worker-2")
    ended = claimed(unit_of_work)
    with unit_of_work.begin() as transaction:
        transaction.jobs.finish(ended, JobEvent.COMPLETE)
        ids = [mine.id, other.id, ended.id, uuid4()]
        assert transaction.jobs.extend_leases("worker-1", ids, LEASE * 9) == 1
        assert transaction.jobs.extend_leases("worker-1", [], LEASE * 9) == 0
    renewed = stored(unit_of_work, mine.id)
    assert renewed.lease_expires_at is not None
    assert mine.lease_expires_at is not None
    assert renewed.lease_expires_at - mine.lease_expires_at > LEASE * 7
    assert renewed == replace(mine, lease_expires_at=renewed.lease_expires_at)
    assert stored(unit_of_work, other.id) == other


@pytest.mark.parametrize(
    ("event", "state", "reason"),
    [
        (JobEvent.COMPLETE, JobState.COMPLETED, None),
        (JobEvent.REJECT, JobState.REJECTED, WHY),
        (JobEvent.PARK, JobState.FAILED, WHY),
    ],
)
def test_the_owner_finishes_its_job(
    unit_of_work: UnitOfWork, event: JobEvent, state: JobState, reason: Reason | None
) -> None:
    """The job ends with its reason, timings and notes, and without a lease."""
    job = claimed(unit_of_work, reason=Reason("worker_lost", "before"))
    timings = {"infer": 10.5, "total": 30.0}
    notes = ("image_mirrored", "of_a_newer_release")
    with unit_of_work.begin() as transaction:
        done = transaction.jobs.finish(job, event, reason=reason, timings_ms=timings, notes=notes)
    assert done is not None
    assert done.updated_at > job.updated_at
    assert done == replace(
        job,
        state=state,
        reason=reason,
        timings_ms=timings,
        notes=notes,
        lease_owner=None,
        lease_expires_at=None,
        updated_at=done.updated_at,
        finished_at=done.finished_at,
    )
    assert stored(unit_of_work, job.id) == done


def test_finishing_without_timings_keeps_those_there_are(unit_of_work: UnitOfWork) -> None:
    """None means: not measured, so nothing to write."""
    job = claimed(unit_of_work, timings_ms={"infer": 1.5})
    with unit_of_work.begin() as transaction:
        done = transaction.jobs.finish(job, JobEvent.COMPLETE)
    assert done is not None
    assert done.timings_ms == {"infer": 1.5}


def test_nobody_else_finishes_a_job(unit_of_work: UnitOfWork) -> None:
    """Another worker gets None, an earlier claim too, and so does the owner a second time."""
    job = claimed(unit_of_work)
    with unit_of_work.begin() as transaction:
        other = replace(job, lease_owner="worker-2")
        assert transaction.jobs.finish(other, JobEvent.COMPLETE) is None
        earlier = replace(job, started_at=NOW)
        assert transaction.jobs.finish(earlier, JobEvent.COMPLETE) is None
        assert transaction.jobs.finish(job, JobEvent.COMPLETE) is not None
        assert transaction.jobs.finish(job, JobEvent.COMPLETE) is None


@pytest.mark.parametrize(
    "event", [JobEvent.RELEASE, JobEvent.CLAIM, JobEvent.RETRY, JobEvent.DISCARD, JobEvent.ENQUEUE]
)
def test_what_does_not_finish_a_job_is_refused(unit_of_work: UnitOfWork, event: JobEvent) -> None:
    """Only completing, rejecting and parking end a run."""
    job = claimed(unit_of_work)
    with pytest.raises(TransitionNotAllowed), unit_of_work.begin() as transaction:
        transaction.jobs.finish(job, event)
