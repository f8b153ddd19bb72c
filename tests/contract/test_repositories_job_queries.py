"""What a job repository promises about looking for jobs, on every database."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from hilum.adapters.postgres.repositories.job_queries import IDS_AT_ONCE
from hilum.application.ports.repositories import JobCursor, JobFilter, QueueDepth
from hilum.domain.job import JobEvent, JobState, Priority
from tests.contract.samples import (
    FAR,
    LEASE,
    NOW,
    a_film,
    accept,
    accepted,
    claimed,
    elapse,
    seconds,
)

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job


def test_jobs_are_found_by_their_ids(unit_of_work: UnitOfWork) -> None:
    """Also more than fit into one query. One that is not there is left out."""
    films = [a_film() for _ in range(3)]
    accept(unit_of_work, *films)
    wanted = [film.job.id for film in films[:2]]
    others = [UUID(int=number) for number in range(IDS_AT_ONCE)]
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.with_ids([]) == {}
        found = transaction.jobs.with_ids([wanted[0], *others, *wanted])
    assert found == {film.job.id: film.job for film in films[:2]}


@pytest.mark.parametrize("limit", [1, 4, 7, 100])
def test_pages_hold_every_job_once_newest_first(unit_of_work: UnitOfWork, limit: int) -> None:
    """Following the cursor gives all jobs without gap or repeat, also where times are equal."""
    times = [NOW + seconds(second) for second in (1, 2, 2, 2, 2, 2, 3, 4, 4, 4, 5, 5)]
    films = [a_film(created_at=time) for time in times]
    random.Random(7).shuffle(films)  # noqa: S311 - any order will do
    accept(unit_of_work, *films)
    seen: list[Job] = []
    cursor = None
    while True:
        with unit_of_work.begin(write=False) as transaction:
            page = transaction.jobs.page(JobFilter(), cursor, limit)
        assert len(page) <= limit
        if not page:
            break
        seen.extend(page)
        cursor = JobCursor(page[-1].created_at, page[-1].id)
    jobs = [film.job for film in films]
    assert seen == sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)


def test_ids_order_like_numbers(unit_of_work: UnitOfWork) -> None:
    """Jobs of one moment are paged by id, and every database orders ids alike."""
    ids = [UUID(int=number << 64) for number in (1, 2, 9, 10, 255, 256, 1 << 63)]
    accept(unit_of_work, *(a_film(id=job_id) for job_id in ids))
    with unit_of_work.begin(write=False) as transaction:
        page = transaction.jobs.page(JobFilter(), None, 10)
        rest = transaction.jobs.page(JobFilter(), JobCursor(NOW, ids[3]), 10)
    assert [job.id for job in page] == ids[::-1]
    assert [job.id for job in rest] == [ids[2], ids[1], ids[0]]


def test_a_job_accepted_meanwhile_does_not_move_the_next_page(unit_of_work: UnitOfWork) -> None:
    """The cursor is a place in time, not a count."""
    old = [accepted(unit_of_work, created_at=NOW + seconds(second)) for second in range(4)]
    cursor = JobCursor(old[2].created_at, old[2].id)
    accepted(unit_of_work, created_at=NOW + seconds(10))
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.page(JobFilter(), cursor, 10) == [old[1], old[0]]


def test_a_filter_narrows_the_page(unit_of_work: UnitOfWork) -> None:
    """Site, state and priority each narrow, and together."""
    jobs = [
        accepted(unit_of_work, site=site, state=state, priority=priority)
        for site in ("north", "south")
        for state in (JobState.QUEUED, JobState.FAILED)
        for priority in Priority
    ]

    def page(which: JobFilter) -> set[UUID]:
        with unit_of_work.begin(write=False) as transaction:
            return {
                job.id
                for job in transaction.jobs.page(which, JobCursor(NOW + LEASE, UUID(int=0)), 99)
            }

    assert page(JobFilter()) == {job.id for job in jobs}
    for sites in (frozenset({"south"}), frozenset({"south", "north"}), frozenset[str]()):
        assert page(JobFilter(sites=sites)) == {job.id for job in jobs if job.site in sites}
    assert page(JobFilter(state=JobState.FAILED)) == {
        job.id for job in jobs if job.state is JobState.FAILED
    }
    assert page(JobFilter(priority=Priority.STAT)) == {
        job.id for job in jobs if job.priority is Priority.STAT
    }
    everything = JobFilter(frozenset({"north"}), JobState.QUEUED, Priority.BATCH)
    assert page(everything) == {jobs[2].id}
    assert page(JobFilter(sites=frozenset({"west"}))) == set()


def test_changes_come_oldest_first_from_a_moment_on(unit_of_work: UnitOfWork) -> None:
    """A change at the moment itself is among them, one before it is not."""
    jobs = [
        accepted(unit_of_work, updated_at=NOW + seconds(second), site=site)
        for second, site in ((3, "north"), (1, "north"), (2, "south"), (0, "north"))
    ]
    with unit_of_work.begin(write=False) as transaction:
        since = NOW + seconds(1)
        assert transaction.jobs.changed_since(since, None, 10) == [jobs[1], jobs[2], jobs[0]]
        assert transaction.jobs.changed_since(since, frozenset({"north"}), 10) == [jobs[1], jobs[0]]
        assert transaction.jobs.changed_since(since, None, 2) == [jobs[1], jobs[2]]


def test_every_change_of_state_is_a_change_and_a_heartbeat_is_not(
    unit_of_work: UnitOfWork,
) -> None:
    """``changed_since`` follows states, not leases."""
    job = claimed(unit_of_work)
    moment = job.updated_at + seconds(0.000001)
    with unit_of_work.begin() as transaction:
        transaction.jobs.extend_leases("worker-1", [job.id], LEASE * 2)
        assert transaction.jobs.changed_since(moment, None, 10) == []
        done = transaction.jobs.finish(job, JobEvent.COMPLETE)
        assert transaction.jobs.changed_since(moment, None, 10) == [done]


def test_expired_leases_come_oldest_first(unit_of_work: UnitOfWork) -> None:
    """A lease that is over is found; one that ends later, or of an ended job, is not."""
    early, late = claimed(unit_of_work), claimed(unit_of_work)
    ended = claimed(unit_of_work)
    with unit_of_work.begin() as transaction:
        assert transaction.jobs.expired(10) == []
        transaction.jobs.finish(ended, JobEvent.COMPLETE)
    elapse(unit_of_work, LEASE)
    claimed(unit_of_work)
    with unit_of_work.begin() as transaction:
        assert [job.id for job in transaction.jobs.expired(10)] == [early.id, late.id]
        assert [job.id for job in transaction.jobs.expired(1)] == [early.id]


def test_claimable_jobs_are_those_that_may_start_now(unit_of_work: UnitOfWork) -> None:
    """Of this priority, backoff over, not paused; counted up to a bound."""
    accepted(unit_of_work, not_before=NOW)
    accepted(unit_of_work)
    accepted(unit_of_work, not_before=FAR)
    accepted(unit_of_work, state=JobState.RUNNING)
    accepted(unit_of_work, priority=Priority.STAT)
    accepted(unit_of_work, site="paused")
    with unit_of_work.begin() as transaction:
        jobs = transaction.jobs
        transaction.work_flows.pause(Priority.ROUTINE, "paused", seconds(60), "a test")
        assert jobs.claimable(Priority.ROUTINE, 10) == 2
        assert jobs.claimable(Priority.ROUTINE, 1) == 1
        assert jobs.claimable(Priority.STAT, 10) == 1
        assert jobs.claimable(Priority.BATCH, 10) == 0


def test_depths_measure_every_queue(unit_of_work: UnitOfWork) -> None:
    """Waiting, running and failed jobs and the oldest acceptance by priority, zeros too."""
    accepted(unit_of_work, created_at=NOW - seconds(5))
    accepted(unit_of_work, created_at=NOW - seconds(9))
    claimed(unit_of_work, created_at=NOW - seconds(99))
    claimed(unit_of_work, priority=Priority.STAT)
    accepted(unit_of_work, state=JobState.COMPLETED, priority=Priority.BATCH)
    accepted(unit_of_work, state=JobState.FAILED, priority=Priority.BATCH)
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.depths() == {
            Priority.STAT: QueueDepth(0, 1, None),
            Priority.ROUTINE: QueueDepth(2, 1, NOW - seconds(9)),
            Priority.BATCH: QueueDepth(0, 0, None, failed=1),
        }


def test_counts_hold_every_state(unit_of_work: UnitOfWork) -> None:
    """Jobs by state, of one site or of all, with zeros."""
    for site, state in (
        ("north", JobState.QUEUED),
        ("north", JobState.COMPLETED),
        ("south", JobState.COMPLETED),
    ):
        accepted(unit_of_work, site=site, state=state)
    nothing = dict.fromkeys(JobState, 0)
    with unit_of_work.begin(write=False) as transaction:
        counts = transaction.jobs.counts
        assert counts(None) == {**nothing, JobState.QUEUED: 1, JobState.COMPLETED: 2}
        assert counts(frozenset({"south"})) == {**nothing, JobState.COMPLETED: 1}
        assert counts(frozenset({"west"})) == nothing
        assert counts(frozenset({"south", "north"})) == counts(None)


def test_the_newest_job_that_read_a_film_is_found_by_its_uid(unit_of_work: UnitOfWork) -> None:
    """Of one site, completed or stopped at the gate; what waits or failed read nothing."""
    states = {
        JobState.COMPLETED: 1,
        JobState.REJECTED: 2,
        JobState.QUEUED: 3,
        JobState.FAILED: 4,
    }
    films = {
        state: a_film(state=state, created_at=NOW + seconds(at)) for state, at in states.items()
    }
    elsewhere = a_film(site="south", state=JobState.COMPLETED, created_at=NOW + seconds(9))
    other = a_film(state=JobState.COMPLETED, created_at=NOW + seconds(9))
    other = replace(other, instance=replace(other.instance, sop_instance_uid="1.2.30"))
    unnamed = a_film(state=JobState.COMPLETED, created_at=NOW + seconds(9))
    unnamed = replace(unnamed, instance=replace(unnamed.instance, sop_instance_uid=None))
    accept(unit_of_work, *films.values(), elsewhere, other, unnamed)
    with unit_of_work.begin(write=False) as transaction:
        jobs = transaction.jobs
        assert jobs.newest_of_film("north", "1.2.3") == films[JobState.REJECTED].job
        assert jobs.newest_of_film("south", "1.2.3") == elsewhere.job
        assert jobs.newest_of_film("north", "1.2.30") == other.job
        assert jobs.newest_of_film("north", "1.2") is None
        assert jobs.newest_of_film("north", "") is None
