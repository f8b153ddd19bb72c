"""Look at jobs, results and films as they came."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hilum.application.ports.repositories import JobCursor, JobFilter
from hilum.application.use_cases.operate_jobs import require_film, visible_job
from hilum.domain.access import ALL_SITES, ApiKey, Permission
from hilum.domain.errors import NotFound
from hilum.domain.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
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


class ReadJobs:
    """Everything that a viewer may ask. A job of another site does not exist for a key."""

    def __init__(self, *, unit_of_work: UnitOfWork, store: ObjectStore) -> None:
        self._unit_of_work = unit_of_work
        self._store = store

    def job(self, job_id: UUID, key: ApiKey) -> JobView:
        """A job with its result.

        Raises:
            NotFound: No such job for this key.
        """
        key.require(Permission.READ)
        with self._unit_of_work.begin(write=False) as transaction:
            job = visible_job(transaction, job_id, key)
            analysis = transaction.results.get(job_id)
            gate = analysis.gate if analysis is not None else transaction.results.gate(job_id)
            return JobView(job, analysis, gate)

    def page(self, which: JobFilter, after: JobCursor | None, limit: int, key: ApiKey) -> JobPage:
        """Jobs, newest first; a key that is bound to a site sees that site only."""
        key.require(Permission.READ)
        if key.site != ALL_SITES:
            if which.site not in (None, key.site):
                return JobPage((), None)
            which = replace(which, site=key.site)
        with self._unit_of_work.begin(write=False) as transaction:
            found = transaction.jobs.page(which, after, limit + 1)
        shown = tuple(found[:limit])
        last = shown[-1] if len(found) > limit else None
        return JobPage(shown, JobCursor(last.created_at, last.id) if last else None)

    def overviews(self, jobs: Iterable[Job], key: ApiKey) -> Mapping[UUID, ResultOverview]:
        """Return what a list shows of each completed job that the key sees."""
        key.require(Permission.READ)
        seen = [job.id for job in jobs if job.state is JobState.COMPLETED and key.sees(job.site)]
        if not seen:
            return {}
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.results.overviews(seen)

    def changes(self, since: datetime, key: ApiKey, limit: int) -> Sequence[Job]:
        """Jobs that changed at or after a moment, oldest change first."""
        key.require(Permission.READ)
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.jobs.changed_since(since, _scope(key), limit)

    def counts(self, key: ApiKey) -> Mapping[JobState, int]:
        """How many jobs are in each state, as far as the key sees."""
        key.require(Permission.READ)
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.jobs.counts(_scope(key))

    def original(self, job_id: UUID, key: ApiKey) -> tuple[Instance, Iterator[bytes]]:
        """The film as it came.

        Raises:
            NotFound: No such job for this key.
            FilmExpired: The film was removed after its time.
        """
        key.require(Permission.READ)
        with self._unit_of_work.begin(write=False) as transaction:
            job = visible_job(transaction, job_id, key)
            require_film(job)
            instance = transaction.studies.instance(job.instance_id)
        if instance is None:  # the schema forbids it
            raise NotFound(f"job {job_id} has no film")
        return instance, self._store.stream(instance.object_key)


def _scope(key: ApiKey) -> str | None:
    return None if key.site == ALL_SITES else key.site
