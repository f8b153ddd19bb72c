"""Jobs: added once, then moved from state to state on conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.repositories import job_queries
from hilum.adapters.postgres.repositories.job_queries import IDS_AT_ONCE, WITH_IDS
from hilum.adapters.postgres.repositories.work import SqlWorkRepository, WorkStatements
from hilum.adapters.postgres.repositories.work_table import JOB_WORK
from hilum.adapters.postgres.tables import JOBS
from hilum.domain.job import Job, JobState
from hilum.domain.sent_again import GIVES_UP_KEY
from hilum.domain.work import WorkEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from hilum.application.ports.repositories import JobCursor, JobFilter
    from hilum.domain.work import Reason

# A discarded job gives up its key: the image is new when it is sent again.
_NO_KEY: Final = {"idempotency_key": "ended " + sa.cast(JOBS.c.id, sa.Text)}
_GIVE_UP_KEY: Final = Statement(
    sa.update(JOBS)
    .where(
        JOBS.c.id == sa.bindparam("wanted_id"),
        JOBS.c.idempotency_key == sa.bindparam("held_key", type_=sa.Text),
    )
    .values(**_NO_KEY)
    .returning(*JOB_WORK.columns)
)
# A reconciler of a release before 0.3 looks for jobs that nobody was woken for.
_UNHEARD: Final = {"rung_at": None}
_OF_RUN: Final = {
    "timings_ms": sa.bindparam("timings", type_=JOBS.c.timings_ms.type),
    "notes": sa.bindparam("notes", type_=JOBS.c.notes.type),
}
JOB_STATEMENTS: Final = WorkStatements(
    JOB_WORK,
    {
        WorkEvent.COMPLETE: _OF_RUN,
        WorkEvent.REJECT: _OF_RUN,
        WorkEvent.PARK: _OF_RUN,
        WorkEvent.RELEASE: _UNHEARD,
        WorkEvent.RETRY: _UNHEARD,
        WorkEvent.RESUBMIT: _UNHEARD,
        WorkEvent.DISCARD: _NO_KEY,
    },
)


class SqlJobRepository(SqlWorkRepository[Job]):
    """See :class:`hilum.application.ports.repositories.JobRepository`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, JOB_STATEMENTS)

    def with_ids(self, ids: Iterable[UUID]) -> Mapping[UUID, Job]:
        """Return those of these jobs that there are, by id."""
        wanted = list(dict.fromkeys(ids))
        found: dict[UUID, Job] = {}
        for start in range(0, len(wanted), IDS_AT_ONCE):
            some = {"wanted_ids": wanted[start : start + IDS_AT_ONCE]}
            found |= {job.id: job for job in self._some(WITH_IDS, **some)}
        return found

    def with_keys(self, keys: Iterable[str]) -> Mapping[str, Job]:
        """Return the jobs that hold these idempotency keys, by key."""
        found = (self._one(job_queries.BY_KEY, wanted_key=key) for key in keys)
        return {job.idempotency_key: job for job in found if job is not None}

    def add_new(self, jobs: Sequence[Job]) -> Mapping[str, Job]:
        """Add each job unless one with its idempotency key exists."""
        if not jobs:
            return {}
        in_key_order = sorted(jobs, key=lambda job: job.idempotency_key)
        rows = [JOB_WORK.row_of(job) for job in in_key_order]
        inserted = set(insert_absent(self._connection, JOBS.c.id, rows))
        present = {job.idempotency_key: job for job in in_key_order if job.id in inserted}
        # A statement of its own: it sees what the transaction that we waited for has committed.
        present |= self.with_keys({job.idempotency_key for job in jobs} - present.keys())
        # A job that gave up its key between the two statements stands in nobody's way any more.
        freed = [job for job in jobs if job.idempotency_key not in present]
        return {**present, **self.add_new(freed)} if freed else present

    def newest_of_film(self, site: str, sop_instance_uid: str) -> Job | None:
        """The newest job of a site that read a film of this UID, or stopped it at the gate."""
        read = (JobState.COMPLETED, JobState.REJECTED)
        found = [
            job
            for job in self._some(job_queries.OF_FILM, wanted_uid=sop_instance_uid)
            if job.site == site and job.state in read
        ]
        return max(found, key=lambda job: (job.created_at, job.id), default=None)

    def page(self, which: JobFilter, after: JobCursor | None, limit: int) -> Sequence[Job]:
        """Newest first by (created_at, id), at most ``limit``, strictly after the cursor."""
        return self._some(job_queries.page(which, after, limit))

    def count(self, which: JobFilter) -> int:
        """Return how many jobs there are."""
        return self._connection.execute(job_queries.count(which)).scalar_one()

    def changed_since(
        self, moment: datetime, sites: frozenset[str] | None, limit: int
    ) -> Sequence[Job]:
        """Jobs whose state changed at or after a moment, oldest change first."""
        return self._some(job_queries.changed_since(sites), since=moment, at_most=limit)

    def finish(
        self,
        item: Job,
        event: WorkEvent,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> Job | None:
        """End a run, if the claim of ``item`` still holds; see the port for who gives up a key."""
        ended = super().finish(item, event, reason=reason, timings_ms=timings_ms, notes=notes)
        if ended is not None and reason is not None and reason.code in GIVES_UP_KEY:
            return self._without_key(ended)
        return ended

    def give_up_key(self, job: Job) -> bool:
        """Take the idempotency key from a job; False if it does not hold it any more."""
        return self._without_key(job) is not None

    def _without_key(self, job: Job) -> Job | None:
        return self._one(_GIVE_UP_KEY, wanted_id=job.id, held_key=job.idempotency_key)

    def counts(self, sites: frozenset[str] | None) -> Mapping[JobState, int]:
        """Jobs by state, of these sites or of all; every state is there, zeros too."""
        numbers = dict.fromkeys(JobState, 0)
        for row in self._connection.execute(job_queries.counts(sites)):
            numbers[JobState(row[0])] = row[1]
        return numbers
