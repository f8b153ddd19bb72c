"""Running a job while leases are lost and the database comes and goes."""

from __future__ import annotations

import pytest

from hilum.application.queue.run_next import OUTCOME_PAUSES_S
from hilum.domain import errors
from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.job import JobState
from hilum.domain.principal import worker
from tests.unit.application.stage import LEASE, Stage, key


@pytest.fixture
def stage() -> Stage:
    return Stage()


def interrupted(stage: Stage, what):
    """Let something happen in the middle of an inference."""
    infer = stage.engine.infer

    def infer_after(model, films):
        stage.engine.infer = infer
        what()
        return infer(model, films)

    stage.engine.infer = infer_after


def test_a_worker_that_lost_its_lease_writes_no_result(stage):
    """The job was given to another worker meanwhile; its result is that one's."""
    job = stage.queued()
    other = stage.worker(stage.worker_leases("w2"))

    def lose():
        stage.advance(LEASE.total_seconds() + 1)
        assert stage.reconcile().released == 1
        stage.advance(2)
        assert other(job.id).state is JobState.COMPLETED

    interrupted(stage, lose)
    assert stage.analyse(job.id) is None
    done = stage.job(job.id)
    assert (done.state, done.attempts, done.losses) == (JobState.COMPLETED, 2, 1)
    assert stage.actions().count("job.completed") == 1
    assert stage.events()[-1].actor == worker("w2")


@pytest.mark.parametrize("kind", [errors.InferenceUnavailable, errors.InferenceFailed])
def test_a_worker_that_lost_its_lease_does_not_touch_the_new_owners_job(stage, kind):
    """Neither release nor park takes a job away from who holds it now."""
    job = stage.queued()

    def lose():
        stage.advance(LEASE.total_seconds() + 1)
        stage.reconcile()
        stage.advance(2)
        assert stage.claim(job.id, "w2")
        raise kind("late")

    interrupted(stage, lose)
    assert stage.analyse(job.id) is None
    now = stage.job(job.id)
    assert (now.state, now.lease_owner) == (JobState.RUNNING, "w2")


def test_an_outage_after_a_heartbeat_still_releases_the_job(stage):
    """A heartbeat moves the lease; the claim is the same."""
    job = stage.queued()

    def beat_then_fail():
        stage.advance(20)
        assert stage.leases.beat() == 1
        raise errors.InferenceUnavailable("down")

    interrupted(stage, beat_then_fail)
    assert stage.analyse(job.id).state is JobState.QUEUED
    assert stage.job(job.id).losses == 0


def test_the_lease_is_kept_for_as_long_as_the_film_is_read_and_no_longer(stage):
    """In flight during, not after."""
    counts = []
    interrupted(stage, lambda: counts.append(stage.leases.in_flight))
    stage.analyse(stage.queued().id)
    assert (counts, stage.leases.in_flight) == ([1], 0)


def test_a_database_that_is_down_at_the_claim_is_passed_on(stage):
    """Nothing was claimed, the ring is found overdue later."""
    job = stage.queued()
    stage.unit_of_work.fail_before = 1
    with pytest.raises(DatabaseUnavailable):
        stage.analyse(job.id)
    assert stage.job(job.id).state is JobState.QUEUED


@pytest.mark.parametrize("failures", [1, len(OUTCOME_PAUSES_S)])
def test_a_database_that_restarts_while_a_film_is_read_costs_nothing(stage, failures):
    """The result is written as soon as the database is back."""
    job = stage.queued()
    interrupted(stage, lambda: setattr(stage.unit_of_work, "fail_before", failures))
    done = stage.analyse(job.id)
    assert (done.state, done.losses) == (JobState.COMPLETED, 0)
    assert stage.pauses == list(OUTCOME_PAUSES_S[:failures])


def test_a_commit_whose_answer_was_lost_leaves_one_result(stage):
    """It is repeated, finds the job done, and changes nothing."""
    job = stage.queued()
    interrupted(stage, lambda: setattr(stage.unit_of_work, "fail_after", 1))
    assert stage.analyse(job.id) is None
    assert stage.job(job.id).state is JobState.COMPLETED
    assert stage.actions() == ["job.accepted", "job.completed"]
    assert stage.result(job.id) is not None


def test_a_database_that_stays_down_leaves_the_job_to_the_reconciler(stage):
    """The lease runs out, another worker reads the film, there is one result."""
    job = stage.queued()
    interrupted(stage, lambda: setattr(stage.unit_of_work, "available", False))
    with pytest.raises(DatabaseUnavailable):
        stage.analyse(job.id)
    assert stage.leases.in_flight == 0
    assert stage.pauses == list(OUTCOME_PAUSES_S)
    stage.unit_of_work.available = True
    assert stage.job(job.id).state is JobState.RUNNING
    stage.advance(LEASE.total_seconds())
    assert stage.reconcile().released == 1
    stage.advance(2)
    assert stage.worker(stage.worker_leases("w2"))(job.id).state is JobState.COMPLETED


def test_a_result_that_the_database_refuses_parks_the_job(stage):
    """A broken constraint is a defect of one film, told to an operator, not an endless loss."""
    job = stage.queued()
    begin = stage.unit_of_work.begin

    def refuse():
        def once(*, write=True):
            stage.unit_of_work.begin = begin
            raise errors.InternalError("the database refused")

        stage.unit_of_work.begin = once

    interrupted(stage, refuse)
    parked = stage.analyse(job.id)
    assert (parked.state, parked.reason.code) == (JobState.FAILED, "internal_error")


def test_a_parked_job_that_is_retried_is_read(stage):
    """With its attempts back at zero."""
    parked = stage.parked()
    assert parked.state is JobState.FAILED
    stage.operate.retry(parked.id, key(), "r")
    done = stage.analyse(parked.id)
    assert (done.state, done.attempts, done.reason) == (JobState.COMPLETED, 1, None)
