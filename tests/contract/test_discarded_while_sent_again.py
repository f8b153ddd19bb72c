"""An image is sent again while its job is discarded, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import JobState
from hilum.domain.sent_again import Outcome
from tests.unit.application.stage import Stage, film, key

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job

ROUNDS = 25


@pytest.fixture
def stage(unit_of_work: UnitOfWork) -> Stage:
    return Stage(unit_of_work=unit_of_work)


def failed_without_file(stage: Stage) -> Job:
    job = stage.queued()
    stage.store.objects.clear()
    stage.analyse(job.id)
    return stage.job(job.id)


def discarded_between_the_transactions(stage: Stage, job: Job) -> None:
    """The store is asked after the rows were read: discard the job then."""
    listed = stage.store.list

    def discard_and_list(prefix: str = ""):
        stage.store.list = listed
        stage.operate.discard(job.id, key(), "r")
        return listed(prefix)

    stage.store.list = discard_and_list


@pytest.mark.parametrize("reach", [Stage.parked, failed_without_file], ids=["failed", "no file"])
@pytest.mark.parametrize("beside", [(), (film(1),)], ids=["alone", "beside a new image"])
def test_a_job_discarded_meanwhile_is_no_answer(stage: Stage, reach, beside) -> None:
    """The image gets a new job, which is queued, woken up and completed."""
    former = reach(stage)
    discarded_between_the_transactions(stage, former)
    *_, again = stage.send(*beside, film()).files
    assert (again.outcome, again.job.state) == (Outcome.NEW, JobState.QUEUED)
    assert again.job.id != former.id
    assert stage.job(former.id).state is JobState.DISCARDED
    assert stage.queue.woken[-1] is again.job.priority
    events = [(event.action, event.object_id) for event in stage.events()]
    assert ("job.accepted", str(again.job.id)) in events
    assert ("job.submitted_again", str(former.id)) not in events
    stage.analyse(again.job.id)
    assert stage.job(again.job.id).state is JobState.COMPLETED


def test_an_image_twice_in_a_submission_whose_job_is_discarded_meanwhile_is_one_job(
    stage: Stage,
) -> None:
    """The first copy gets the new job, and the second is known by it."""
    discarded_between_the_transactions(stage, stage.parked())
    first, second = stage.send(film(), film()).files
    assert [first.outcome, second.outcome] == [Outcome.NEW, Outcome.KNOWN]
    assert first.job.id == second.job.id


def test_a_submission_and_a_discard_at_once_never_lose_the_image(stage: Stage) -> None:
    """In either order, no answer is a discarded job: it is a new one, or the one that failed."""
    outcomes = set()
    with ThreadPoolExecutor(2) as threads:
        for shade in range(ROUNDS):
            job = stage.parked(film(shade))
            sent = threads.submit(stage.send, film(shade))
            done = threads.submit(stage.operate.discard, job.id, key(), "r")
            (again,) = sent.result().files
            assert done.exception() is None
            outcomes.add(again.outcome)
            expected = {Outcome.NEW: JobState.QUEUED, Outcome.KNOWN: JobState.FAILED}
            assert again.job.state is expected[again.outcome]
            assert (again.job.id == job.id) == (again.outcome is Outcome.KNOWN)
    assert outcomes <= {Outcome.NEW, Outcome.KNOWN}


def test_a_job_that_was_requeued_first_is_not_discarded(stage: Stage) -> None:
    """The discard loses: the job is queued."""
    job = failed_without_file(stage)
    (again,) = stage.send(film()).files
    assert (again.outcome, again.job.id) == (Outcome.REQUEUED, job.id)
    with pytest.raises(TransitionNotAllowed):
        stage.operate.discard(job.id, key(), "r")
