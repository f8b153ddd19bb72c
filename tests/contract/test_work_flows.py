"""What flows promise on every database: tags, fair claims, pauses, and jobs without a tag."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from time import sleep
from typing import TYPE_CHECKING

from hilum.domain.job import JobEvent, Priority, Reason
from hilum.domain.work import AttemptOutcome
from tests.contract.samples import NOW, a_film, claim, elapse, seconds, stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Job
    from hilum.domain.work_flow import WorkFlow


def queued(
    unit_of_work: UnitOfWork, *sites: str, priority: Priority = Priority.ROUTINE
) -> list[Job]:
    """Jobs of these sites, accepted in one transaction."""
    films = [a_film(site=site, priority=priority) for site in sites]
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new(transaction.work_flows.tagged([film.job for film in films]))
        for film in films:
            transaction.submissions.add_instances(film.submission, [film.instance])
    return [stored(unit_of_work, film.job.id) for film in films]


def queued_at(unit_of_work: UnitOfWork, moment: datetime, priority: Priority) -> UUID:
    """Accept a job that is as old as this; its id."""
    film = a_film(priority=priority, created_at=moment)
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new(transaction.work_flows.tagged([film.job]))
        transaction.submissions.add_instances(film.submission, [film.instance])
    return film.job.id


def served(unit_of_work: UnitOfWork, number: int) -> list[str]:
    """The sites of the next jobs, each claimed and completed."""
    sites = []
    for _ in range(number):
        job = claim(unit_of_work)
        if job is None:
            break
        with unit_of_work.begin() as transaction:
            transaction.jobs.finish(job, JobEvent.COMPLETE)
        sites.append(job.site)
    return sites


def test_jobs_of_one_site_keep_their_order(unit_of_work: UnitOfWork) -> None:
    """Tags rise in the order in which jobs were queued."""
    jobs = queued(unit_of_work, *["north"] * 5)
    assert [job.fair_tag for job in jobs] == [1, 2, 3, 4, 5]
    later = queued(unit_of_work, "north")
    assert later[0].fair_tag == 6
    claimed = [claim(unit_of_work) for _ in range(6)]
    assert [job and job.id for job in claimed] == [job.id for job in [*jobs, *later]]


def test_a_small_site_does_not_wait_for_a_large_one(unit_of_work: UnitOfWork) -> None:
    """Its jobs are every second one."""
    queued(unit_of_work, *["north"] * 20)
    served(unit_of_work, 5)
    queued(unit_of_work, *["south"] * 4)
    order = served(unit_of_work, 10)
    places = [place for place, site in enumerate(order) if site == "south"]
    assert len(places) == 4
    assert all(later - earlier <= 2 for earlier, later in pairwise(places))


def test_a_more_urgent_job_goes_first_whatever_its_site(unit_of_work: UnitOfWork) -> None:
    """STAT before routine before batch."""
    queued(unit_of_work, "north", priority=Priority.BATCH)
    queued(unit_of_work, "north", "south")
    queued(unit_of_work, "south", priority=Priority.STAT)
    order = [job.priority for job in iter(lambda: claim(unit_of_work), None)]
    assert order == [Priority.STAT, Priority.ROUTINE, Priority.ROUTINE, Priority.BATCH]


def test_a_worker_gets_the_priorities_that_it_serves(unit_of_work: UnitOfWork) -> None:
    """Other work is left to other workers."""
    queued(unit_of_work, "north", priority=Priority.STAT)
    (batch,) = queued(unit_of_work, "north", priority=Priority.BATCH)
    with unit_of_work.begin() as transaction:
        jobs = transaction.jobs
        lease = seconds(30)
        assert jobs.claim([Priority.ROUTINE], "worker-1", lease) is None
        found = jobs.claim([Priority.BATCH, Priority.ROUTINE], "worker-1", lease)
    assert found is not None
    assert found.id == batch.id


def test_a_paused_site_is_passed_over_and_resumes_without_credit(unit_of_work: UnitOfWork) -> None:
    """While it stands the others run; after that the sites take turns, no more."""
    queued(unit_of_work, *["north"] * 20, *["south"] * 10)
    with unit_of_work.begin() as transaction:
        transaction.work_flows.pause(Priority.ROUTINE, "south", seconds(3600), "a reason")
    assert served(unit_of_work, 8) == ["north"] * 8
    with unit_of_work.begin() as transaction:
        (flow,) = [flow for flow in transaction.work_flows.all() if flow.flow == "south"]
        assert flow.paused_until is not None
        assert flow.pause_reason == "a reason"
        assert transaction.work_flows.end_pauses() == []
        assert transaction.work_flows.resume(Priority.ROUTINE, "south")
        assert not transaction.work_flows.resume(Priority.ROUTINE, "south")
    counts = Counter(served(unit_of_work, 8))
    assert abs(counts["north"] - counts["south"]) <= 2


def test_a_job_that_was_tried_says_nothing_of_the_present(unit_of_work: UnitOfWork) -> None:
    """A retry keeps its place; a site that comes now begins where the others are."""
    queued(unit_of_work, *["north"] * 10)
    tried = claim(unit_of_work)
    assert tried is not None
    served(unit_of_work, 6)
    with unit_of_work.begin() as transaction:
        back = transaction.jobs.release(
            tried, AttemptOutcome.FAILED, reason=Reason("worker_lost", "x")
        )
    assert back is not None
    assert back.fair_tag == tried.fair_tag
    (south,) = queued(unit_of_work, "south")
    assert south.fair_tag > 7
    assert served(unit_of_work, 1) == ["north"]


def test_a_job_that_was_tried_moves_no_resumed_site_back(unit_of_work: UnitOfWork) -> None:
    """Its old tag says nothing of the present: the sites take turns at once."""
    queued(unit_of_work, "south")
    tried = claim(unit_of_work)
    assert tried is not None
    with unit_of_work.begin() as transaction:
        why, hour = Reason("code", "why"), seconds(3600)
        transaction.jobs.release(tried, AttemptOutcome.FAILED, reason=why, backoff=hour)
    queued(unit_of_work, *["north"] * 40)
    assert len(served(unit_of_work, 21)) == 21
    queued(unit_of_work, *["south"] * 10)
    with unit_of_work.begin() as transaction:
        transaction.work_flows.pause(Priority.ROUTINE, "south", seconds(3600), "a reason")
        transaction.work_flows.resume(Priority.ROUTINE, "south")
    counts = Counter(served(unit_of_work, 8))
    assert abs(counts["north"] - counts["south"]) <= 2


def test_jobs_without_a_tag_are_adopted(unit_of_work: UnitOfWork) -> None:
    """A release without flows queued them: tags in the order of their age, a flow for each site."""
    films = [a_film(site=site, created_at=NOW + seconds(n)) for n, site in enumerate("abab")]
    with unit_of_work.begin() as transaction:
        transaction.jobs.add_new([film.job for film in films])
        for film in films:
            transaction.submissions.add_instances(film.submission, [film.instance])
    assert claim(unit_of_work) is None
    with unit_of_work.begin() as transaction:
        assert transaction.work_flows.adopt(3) == 3
        assert transaction.work_flows.adopt(3) == 1
        assert transaction.work_flows.adopt(3) == 0
        assert {flow.flow for flow in transaction.work_flows.all()} == {"a", "b"}
    tags = {site: [] for site in "ab"}
    for film in films:
        tags[film.job.site].append(stored(unit_of_work, film.job.id).fair_tag)
    assert all(own == sorted(own) and own[0] > 0 for own in tags.values())
    assert sorted(served(unit_of_work, 9)) == ["a", "a", "b", "b"]


def test_aged_batch_jobs_become_routine_behind_what_waits(unit_of_work: UnitOfWork) -> None:
    """The oldest first, as many as there is room for, then one at a time; younger ones stay."""
    now = datetime.now(UTC)
    ages = [1800, 3600, 7200, 10_800]
    batch = [queued_at(unit_of_work, now - seconds(age), Priority.BATCH) for age in ages]
    routine = [queued_at(unit_of_work, now, Priority.ROUTINE) for _ in range(3)]
    with unit_of_work.begin() as transaction:
        raised = transaction.work_flows.raise_aged(seconds(3000), 2)
        (further,) = transaction.work_flows.raise_aged(seconds(3000), 2)
        assert transaction.work_flows.raise_aged(seconds(3000), 2) == []
    assert [job.id for job in raised] == [batch[3], batch[2]]
    assert further.id == batch[1]
    assert [stored(unit_of_work, job.id) for job in raised] == raised
    assert {job.priority for job in raised} == {Priority.ROUTINE}
    order = [job and job.id for job in (claim(unit_of_work) for _ in range(8))]
    assert order == [*routine, batch[3], batch[2], batch[1], batch[0], None]


def test_a_pause_ends_at_its_time(unit_of_work: UnitOfWork) -> None:
    """By the database's clock."""
    queued(unit_of_work, "north")
    with unit_of_work.begin() as transaction:
        transaction.work_flows.pause(Priority.ROUTINE, "north", seconds(600), "a reason")
    assert claim(unit_of_work) is None
    elapse(unit_of_work, seconds(600))
    assert claim(unit_of_work) is None
    with unit_of_work.begin() as transaction:
        (ended,) = transaction.work_flows.end_pauses()
        assert (ended.flow, ended.pause_reason) == ("north", "a reason")
        assert transaction.work_flows.end_pauses() == []
    assert claim(unit_of_work) is not None


def test_a_pause_that_is_prolonged_at_its_end_goes_on(unit_of_work: UnitOfWork) -> None:
    """Whoever ends what is over looks again once it holds the flow."""
    with unit_of_work.begin() as transaction:
        transaction.work_flows.pause(Priority.ROUTINE, "north", seconds(600), "a reason")
    elapse(unit_of_work, seconds(600))
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work.begin() as transaction:
            transaction.work_flows.pause(Priority.ROUTINE, "north", seconds(600), "longer")
            ending = pool.submit(_end_pauses, unit_of_work)
            sleep(0.2)
        assert ending.result() == []
    with unit_of_work.begin() as transaction:
        (flow,) = transaction.work_flows.all()
    assert flow.pause_reason == "longer"


def _end_pauses(unit_of_work: UnitOfWork) -> Sequence[WorkFlow]:
    with unit_of_work.begin() as transaction:
        return transaction.work_flows.end_pauses()
