"""Look at jobs, results and films as they came."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hilum.application.ports.repositories import JobCursor, JobFilter
from hilum.application.queue.operate_jobs import require_film, visible_job
from hilum.domain.errors import NotFound
from hilum.domain.job import JobState
from hilum.domain.principal import Permission, Principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from uuid import UUID

    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.finding import Analysis, PanelReading, ResultOverview
    from hilum.domain.job import Job
    from hilum.domain.study import Instance


@dataclass(frozen=True, slots=True)
class JobView:
    """A job and what came of it.

    Attributes:
        job: The job.
        analysis: Its result, once it is completed.
        gate: What the gate said of the film, once it was asked; of a rejected film too.
    """

    job: Job
    analysis: Analysis | None
    gate: PanelReading | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of jobs, newest first, and where the next one begins."""

    jobs: tuple[Job, ...]
    next: JobCursor | None


@dataclass(frozen=True, slots=True)
class JobChanges:
    """Jobs that changed, and when the database was asked, by its clock."""

    jobs: tuple[Job, ...]
    asked_at: datetime


class ReadJobs:
    """Everything that a viewer may ask. A job of another site does not exist for a principal."""

    def __init__(self, *, unit_of_work: UnitOfWork, store: ObjectStore) -> None:
        self._unit_of_work = unit_of_work
        self._store = store

    def job(self, job_id: UUID, principal: Principal) -> JobView:
        """A job with its result, where the principal may read results.

        Raises:
            NotFound: No such job for this principal.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            job = visible_job(transaction, job_id, principal, Permission.READ_JOBS)
            if not principal.holds(Permission.READ_RESULTS, job.site):
                return JobView(job, None)
            analysis = transaction.results.get(job_id)
            gate = analysis.gate if analysis is not None else transaction.results.gate(job_id)
            return JobView(job, analysis, gate)

    def page(
        self, which: JobFilter, after: JobCursor | None, limit: int, principal: Principal
    ) -> JobPage:
        """Jobs, newest first; of the sites at which the principal may read them."""
        which = replace(which, sites=_both(which.sites, _sites(principal)))
        with self._unit_of_work.begin(write=False) as transaction:
            found = transaction.jobs.page(which, after, limit + 1)
        shown = tuple(found[:limit])
        last = shown[-1] if len(found) > limit else None
        return JobPage(shown, JobCursor(last.created_at, last.id) if last else None)

    def overviews(self, jobs: Iterable[Job], principal: Principal) -> Mapping[UUID, ResultOverview]:
        """Return what a list shows of each completed job whose result the principal may read."""
        seen = [
            job.id
            for job in jobs
            if job.state is JobState.COMPLETED
            and principal.holds(Permission.READ_RESULTS, job.site)
        ]
        if not seen:
            return {}
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.results.overviews(seen)

    def changes(self, since: datetime | timedelta, principal: Principal, limit: int) -> JobChanges:
        """Jobs that changed at or after a moment, oldest change first.

        Args:
            since: The moment, or how long ago it was. By the database's clock, like the changes.
            principal: Who asks.
            limit: Jobs at most.
        """
        sites = _sites(principal)
        with self._unit_of_work.begin(write=False) as transaction:
            now = transaction.now
            since = now - since if isinstance(since, timedelta) else since
            return JobChanges(tuple(transaction.jobs.changed_since(since, sites, limit)), now)

    def counts(self, principal: Principal) -> Mapping[JobState, int]:
        """How many jobs are in each state, as far as the principal sees."""
        sites = _sites(principal)
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.jobs.counts(sites)

    def original(self, job_id: UUID, principal: Principal) -> tuple[Instance, Iterator[bytes]]:
        """The film as it came.

        Raises:
            NotFound: No such job for this principal.
            FilmExpired: The film was removed after its time.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            job = visible_job(transaction, job_id, principal, Permission.READ_IMAGES)
            require_film(job)
            instance = transaction.submissions.instance(job.instance_id)
        if instance is None:  # the schema forbids it
            raise NotFound(f"job {job_id} has no film")
        return instance, self._store.stream(instance.object_key)


def _sites(principal: Principal) -> frozenset[str] | None:
    principal.require(Permission.READ_JOBS)
    return principal.sites(Permission.READ_JOBS)


def _both(asked: frozenset[str] | None, seen: frozenset[str] | None) -> frozenset[str] | None:
    """The sites that are in both; None stands for every site."""
    return seen if asked is None else asked if seen is None else asked & seen
