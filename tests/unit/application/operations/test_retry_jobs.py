"""Bulk retry: which jobs, in which order, and how often."""

from __future__ import annotations

from hilum.domain.job import JobState
from hilum.domain.operation import OperationState
from tests.unit.application.operations.desk import FAILED_OR_NOT, Desk, run
from tests.unit.application.stage import film, key


def test_jobs_are_retried_by_filter():
    """Those of the site, priority and code, and no others. Each is audited as the asker's act."""
    desk = Desk()
    failed = [desk.stage.parked(film(shade)) for shade in (1, 2, 3)]
    done = desk.stage.analyse(desk.stage.queued(film(9)).id)
    none = desk.start("retry_jobs", arguments={"code": "worker_lost"})
    stat = desk.start("retry_jobs", arguments={"priority": "stat"})
    assert (none.total, stat.total) == (0, 0)
    operation = desk.start("retry_jobs", site="default", arguments={"code": "model_not_served"})
    assert operation.total == 3
    worker = desk.worker()
    while run(worker):
        pass
    now = desk.get(operation)
    assert (now.state, now.done, now.failed) == (OperationState.COMPLETED, 3, 0)
    jobs = [desk.stage.job(job.id) for job in failed]
    assert {job.state for job in jobs} == {JobState.QUEUED}
    assert {job.attempts for job in jobs} == {0}
    assert desk.stage.job(done.id).state is JobState.COMPLETED
    retries = [event for event in desk.stage.events() if event.action == "job.retry"]
    assert {event.object_id for event in retries} == {str(job.id) for job in failed}
    assert {event.actor for event in retries} == {key()}
    assert {event.details["operation"] for event in retries} == {str(operation.id)}


def test_a_retried_job_goes_behind_what_waits():
    """An old tag would put a thousand retried jobs of one site before every other site."""
    desk = Desk()
    failed = desk.stage.parked(film(1))
    waiting = [desk.stage.queued(film(shade)) for shade in (2, 3, 4)]
    desk.start("retry_jobs")
    while run(desk.worker()):
        pass
    assert desk.stage.job(failed.id).fair_tag > max(
        desk.stage.job(job.id).fair_tag for job in waiting
    )


def test_a_job_that_fails_again_is_not_retried_again():
    """The operation ends."""
    desk = Desk()
    desk.stage.parked(film(1))
    operation = desk.start("retry_jobs", rate=0.5)
    worker = desk.worker()
    assert run(worker)
    with desk.stage.unit_of_work.begin() as transaction:
        (job,) = transaction.jobs.page(FAILED_OR_NOT, None, 9)
    desk.stage.engine._served = set()  # noqa: SLF001 - the fake's own
    desk.stage.analyse(job.id)
    assert desk.stage.job(job.id).state is JobState.FAILED
    desk.stage.advance(10)
    while run(worker):
        desk.stage.advance(10)
    assert desk.get(operation).state is OperationState.COMPLETED
    assert desk.get(operation).done == 1
