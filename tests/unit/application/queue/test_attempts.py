"""Each attempt at a job leaves one row, in the transaction of its outcome."""

from __future__ import annotations

import pytest

from hilum.application.intake.submission import IncomingFile, SubmissionFields
from hilum.domain.work import AttemptOutcome
from tests.unit.application.stage import LEASE, Stage, film, key


@pytest.fixture
def stage() -> Stage:
    return Stage()


def attempts(stage: Stage, job_id):
    with stage.unit_of_work.begin(write=False) as transaction:
        return transaction.attempts.of("analysis", job_id)


def test_a_completed_job_has_an_attempt_with_its_times(stage):
    """Who, when, how long, and the trace of the request."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = stage.submit(
        [IncomingFile("a.pgm", [film()])], SubmissionFields, key(), "r", traceparent=parent
    )
    job = stage.analyse(sent.accepted[0].job.id)
    (attempt,) = attempts(stage, job.id)
    assert (attempt.number, attempt.outcome, attempt.code) == (1, AttemptOutcome.DONE, None)
    assert (attempt.owner, attempt.release) == ("w1", "1.2.3")
    assert (attempt.started_at, attempt.ended_at) == (job.started_at, job.finished_at)
    assert attempt.timings_ms == job.timings_ms
    assert attempt.trace_id == "0af7651916cd43dd8448eb211c80319c"


def test_a_rejected_job_has_a_rejected_attempt(stage):
    """With the code of the rejection."""
    job = stage.queued(film()[:-10])
    stage.analyse(job.id)
    (attempt,) = attempts(stage, job.id)
    assert (attempt.outcome, attempt.code) == (AttemptOutcome.REJECTED, "truncated_film")


def test_an_attempt_that_failed_and_one_that_was_lost_go_before_the_last(stage):
    """Numbers go on over a retry by a person."""
    job = stage.parked()
    stage.operate.retry(job.id, key(), "r")
    stage.claim(job.id, "w2")
    stage.advance(LEASE.total_seconds())
    stage.reconcile()
    stage.advance(600)
    stage.analyse(job.id)
    found = attempts(stage, job.id)
    assert [(one.number, one.outcome, one.owner) for one in found] == [
        (1, AttemptOutcome.FAILED, "w1"),
        (2, AttemptOutcome.LOST, "w2"),
        (3, AttemptOutcome.DONE, "w1"),
    ]
    assert [one.code for one in found] == ["model_not_served", "worker_lost", None]


def test_an_outage_leaves_an_attempt_that_does_not_count(stage):
    """The job's own count is given back, and the rows tell that somebody tried."""
    job = stage.queued()
    stage.engine.available = False
    stage.analyse(job.id)
    (attempt,) = attempts(stage, job.id)
    assert (attempt.outcome, attempt.code) == (AttemptOutcome.OUTAGE, "inference_unavailable")
    assert stage.job(job.id).attempts == 0
