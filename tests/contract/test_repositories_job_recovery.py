"""What a job repository promises about jobs that did not go well, on every database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import ANALYSIS, JobEvent, JobState, Reason
from hilum.domain.work import AttemptOutcome
from tests.contract.samples import LEASE, NOW, accepted, claim, claimed, elapse, seconds, stored

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job

FAILED, LOST = AttemptOutcome.FAILED, AttemptOutcome.LOST
OUTAGE = AttemptOutcome.OUTAGE
WHY = Reason("inference_unavailable", "no answer")


@pytest.mark.parametrize("lost", [False, True])
def test_a_release_puts_a_job_back(unit_of_work: UnitOfWork, *, lost: bool) -> None:
    """From running to queued, with its backoff; a lost worker is a loss."""
    job = claimed(unit_of_work, rung_at=NOW, losses=1)
    elapse(unit_of_work, LEASE)
    with unit_of_work.begin() as transaction:
        queued = transaction.jobs.release(
            job, LOST if lost else FAILED, reason=WHY, backoff=seconds(60)
        )
    assert queued is not None
    assert queued.not_before is not None
    assert abs(queued.not_before - queued.updated_at - seconds(60)) < seconds(1)
    assert queued.updated_at > job.updated_at
    assert queued == replace(
        job,
        state=JobState.QUEUED,
        reason=WHY,
        lease_owner=None,
        lease_expires_at=None,
        rung_at=None,
        not_before=queued.not_before,
        losses=1 + lost,
        updated_at=queued.updated_at,
    )
    assert stored(unit_of_work, job.id) == queued


def test_a_release_after_an_outage_gives_the_attempt_back(unit_of_work: UnitOfWork) -> None:
    """With its reason and no backoff, so that the job keeps its place in the queue."""
    job = claimed(unit_of_work, attempts=4, losses=1)
    with unit_of_work.begin() as transaction:
        queued = transaction.jobs.release(job, OUTAGE, reason=WHY)
    assert queued is not None
    assert (queued.state, queued.reason, queued.not_before) == (JobState.QUEUED, WHY, None)
    assert (queued.attempts, queued.losses, queued.fair_tag) == (4, 1, job.fair_tag)
    again = claim(unit_of_work)
    assert again is not None
    assert (again.id, again.attempts) == (job.id, 5)
    with unit_of_work.begin() as transaction:
        assert transaction.jobs.release(job, OUTAGE, reason=WHY) is None
    assert stored(unit_of_work, job.id) == again


@pytest.mark.parametrize("lost", [False, True])
def test_parking_keeps_a_job_for_an_operator(unit_of_work: UnitOfWork, *, lost: bool) -> None:
    """From running to failed, with its reason, and a loss where the worker was lost."""
    job = claimed(unit_of_work)
    elapse(unit_of_work, LEASE)
    with unit_of_work.begin() as transaction:
        parked = transaction.jobs.park(job, reason=WHY, lost=lost)
    assert parked is not None
    assert parked == replace(
        job,
        state=JobState.FAILED,
        reason=WHY,
        lease_owner=None,
        lease_expires_at=None,
        losses=int(lost),
        updated_at=parked.updated_at,
        finished_at=parked.finished_at,
    )
    assert stored(unit_of_work, job.id) == parked


def _release(unit_of_work: UnitOfWork, job: Job, *, lost: bool) -> Job | None:
    with unit_of_work.begin() as transaction:
        return transaction.jobs.release(job, LOST if lost else FAILED, reason=WHY)


def _park(unit_of_work: UnitOfWork, job: Job, *, lost: bool) -> Job | None:
    with unit_of_work.begin() as transaction:
        return transaction.jobs.park(job, reason=WHY, lost=lost)


@pytest.mark.parametrize("give_up", [_release, _park])
@pytest.mark.parametrize("lost", [False, True])
def test_a_claim_that_another_holds_now_is_not_given_up(
    unit_of_work: UnitOfWork, give_up: Any, *, lost: bool
) -> None:
    """Nothing happens for a job that was claimed anew since, by another or by the same worker."""
    stale = claimed(unit_of_work)
    elapse(unit_of_work, LEASE)
    assert _release(unit_of_work, stale, lost=True) is not None
    assert give_up(unit_of_work, stale, lost=lost) is None
    anew = claim(unit_of_work, "worker-1")
    assert anew is not None
    assert give_up(unit_of_work, stale, lost=lost) is None
    assert give_up(unit_of_work, replace(anew, lease_owner="worker-2"), lost=lost) is None
    assert give_up(unit_of_work, replace(anew, started_at=NOW), lost=lost) is None
    assert stored(unit_of_work, stale.id) == anew


@pytest.mark.parametrize("give_up", [_release, _park])
def test_a_heartbeat_in_time_saves_a_worker_and_keeps_its_claim(
    unit_of_work: UnitOfWork, give_up: Any
) -> None:
    """It does not count as lost any more, and it can still give the job up itself."""
    job = claimed(unit_of_work)
    elapse(unit_of_work, LEASE)
    with unit_of_work.begin() as transaction:
        transaction.jobs.extend_leases("worker-1", [job.id], LEASE)
    assert give_up(unit_of_work, job, lost=True) is None
    assert give_up(unit_of_work, job, lost=False) is not None


def test_a_retry_starts_over(unit_of_work: UnitOfWork) -> None:
    """From failed to queued, without attempts, losses, reason or backoff."""
    job = claimed(unit_of_work, rung_at=NOW, losses=2)
    elapse(unit_of_work, LEASE)
    parked = _park(unit_of_work, job, lost=True)
    assert parked is not None
    with unit_of_work.begin() as transaction:
        queued = transaction.jobs.change(parked, JobEvent.RETRY)
    assert queued is not None
    assert queued == replace(
        parked,
        state=JobState.QUEUED,
        attempts=0,
        losses=0,
        reason=None,
        rung_at=None,
        not_before=None,
        finished_at=None,
        updated_at=queued.updated_at,
    )
    assert stored(unit_of_work, job.id) == queued


def test_a_failed_job_can_be_discarded(unit_of_work: UnitOfWork) -> None:
    """From failed to discarded; the reason stays, and its key is free for a new job."""
    failed = _park(unit_of_work, claimed(unit_of_work), lost=False)
    assert failed is not None
    with unit_of_work.begin() as transaction:
        gone = transaction.jobs.change(failed, JobEvent.DISCARD)
    assert gone is not None
    assert gone.idempotency_key != failed.idempotency_key
    assert gone == replace(
        failed,
        state=JobState.DISCARDED,
        updated_at=gone.updated_at,
        idempotency_key=gone.idempotency_key,
    )
    assert stored(unit_of_work, failed.id) == gone
    fresh = replace(failed, id=uuid4(), state=JobState.QUEUED, lease_owner=None)
    with unit_of_work.begin() as transaction:
        assert transaction.jobs.add_new([fresh]) == {failed.idempotency_key: fresh}


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.FAILED])
def test_only_a_parked_job_is_retried_or_discarded(
    unit_of_work: UnitOfWork, state: JobState
) -> None:
    """In any other state both change nothing, also where somebody saw it failed."""
    job = accepted(unit_of_work, state=state)
    with unit_of_work.begin() as transaction:
        for event in (JobEvent.RETRY, JobEvent.DISCARD):
            if (state, event) not in ANALYSIS.transitions:
                with pytest.raises(TransitionNotAllowed):
                    transaction.jobs.change(job, event)
            failed = replace(job, state=JobState.FAILED)
            assert transaction.jobs.change(failed, event) is None
    assert stored(unit_of_work, job.id) == job


@pytest.mark.parametrize(
    ("code", "freed"), [("for_processing", "yes"), ("too_many_pixels", "yes"), ("colour_film", "")]
)
def test_a_rejection_by_a_rule_or_a_limit_frees_the_key(
    unit_of_work: UnitOfWork, code: str, freed: str
) -> None:
    """Either may be changed until the image is sent again. Its pixels stay what they are."""
    job = claimed(unit_of_work)
    with unit_of_work.begin() as transaction:
        ended = transaction.jobs.finish(job, JobEvent.REJECT, reason=Reason(code, "because"))
    assert ended is not None
    assert (ended.idempotency_key != job.idempotency_key) is bool(freed)
    assert stored(unit_of_work, job.id) == ended
