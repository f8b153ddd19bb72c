"""Nobody waits for ever: a small site behind a large one, and batch work under routine work."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hilum.application.queue.reconcile import Periods, Reconcile
from hilum.domain.job import ANALYSIS, JobEvent, Priority
from hilum.domain.retry_policy import RetryPolicy
from tests.contract.samples import LEASE, a_film, claim, seconds
from tests.fakes.task_queue import RecordingTaskQueue

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job

AGEING = timedelta(hours=4)


@pytest.fixture
def reconcile(unit_of_work: UnitOfWork) -> Reconcile:
    """What every worker runs."""
    return Reconcile(
        unit_of_work=unit_of_work,
        queue=RecordingTaskQueue(),
        policies={ANALYSIS.kind: RetryPolicy()},
        chance=random.Random(1),  # noqa: S311 - jitter
        periods=Periods(ageing=AGEING, lease=LEASE, attempts=timedelta(days=90)),
    )


def accept(unit_of_work: UnitOfWork, site: str, priority: Priority, age: float = 0) -> Job:
    """A job of a submission of its own, as old as this."""
    film = a_film(site=site, priority=priority, created_at=datetime.now(UTC) - seconds(age))
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new(transaction.work_flows.tagged([film.job]))
        transaction.submissions.add_instances(film.submission, [film.instance])
    return film.job


def serve(unit_of_work: UnitOfWork) -> Job:
    """The job that the one slot runs next."""
    job = claim(unit_of_work)
    assert job is not None
    with unit_of_work.begin() as transaction:
        transaction.jobs.finish(job, JobEvent.COMPLETE)
    return job


def test_five_jobs_behind_a_hundred_and_fifty_have_every_second_place(
    unit_of_work: UnitOfWork,
) -> None:
    """Whatever the other site has sent before."""
    for _ in range(150):
        accept(unit_of_work, "large", Priority.ROUTINE)
    first = [serve(unit_of_work).site for _ in range(3)]
    for _ in range(5):
        accept(unit_of_work, "small", Priority.ROUTINE)
    order = [serve(unit_of_work).site for _ in range(11)]
    assert first == ["large"] * 3
    places = [place for place, site in enumerate(order) if site == "small"]
    assert len(places) == 5
    assert places == list(range(places[0], places[0] + 10, 2))
    assert places[0] <= 2


def test_batch_work_beyond_its_age_runs_under_endless_routine_work(
    unit_of_work: UnitOfWork, reconcile: Reconcile
) -> None:
    """Of two sites that never stop sending. Before its age it waits for both."""
    waiting = 6
    for _ in range(waiting // 2):
        accept(unit_of_work, "north", Priority.ROUTINE)
        accept(unit_of_work, "south", Priority.ROUTINE)
    old = accept(unit_of_work, "north", Priority.BATCH, AGEING.total_seconds() + 60)
    young = accept(unit_of_work, "north", Priority.BATCH, AGEING.total_seconds() - 600)

    def serve_under_load(number: int) -> list[Job]:
        served = []
        for place in range(number):
            accept(unit_of_work, ("north", "south")[place % 2], Priority.ROUTINE)
            served.append(serve(unit_of_work))
        return served

    assert {job.priority for job in serve_under_load(12)} == {Priority.ROUTINE}
    assert reconcile().raised == 1
    ran = [job.id for job in serve_under_load(waiting + 2)]
    assert old.id in ran
    assert young.id not in ran


def test_stat_never_waits_for_aged_batch_work(
    unit_of_work: UnitOfWork, reconcile: Reconcile
) -> None:
    """However old that is, and however often it was looked at."""
    aged = [
        accept(unit_of_work, "north", Priority.BATCH, 3 * AGEING.total_seconds()) for _ in range(3)
    ]
    for _ in range(3):
        reconcile()
    urgent = [accept(unit_of_work, site, Priority.STAT) for site in ("north", "south", "north")]
    order = [serve(unit_of_work).id for _ in range(6)]
    assert set(order[:3]) == {job.id for job in urgent}
    assert order[3:] == [job.id for job in aged]
