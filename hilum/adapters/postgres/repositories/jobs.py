"""Jobs: added once, then moved from state to state on conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.repositories import job_changes, job_queries
from hilum.adapters.postgres.repositories.job_claim import CLAIM_NEXT
from hilum.adapters.postgres.repositories.job_rows import job_of, row_of
from hilum.adapters.postgres.tables import JOBS
from hilum.application.ports.repositories import QueueDepth
from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import JobEvent, JobState, Priority, source_state
from hilum.domain.sent_again import GIVES_UP_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection

    from hilum.adapters.postgres.execution import Statement
    from hilum.application.ports.repositories import JobCursor, JobFilter
    from hilum.domain.job import Job, Reason


class SqlJobRepository:
    """See :class:`hilum.application.ports.repositories.JobRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def with_keys(self, keys: Iterable[str]) -> Mapping[str, Job]:
        """Return the jobs that hold these idempotency keys, by key."""
        found = (self._one(job_queries.BY_KEY, wanted_key=key) for key in keys)
        return {job.idempotency_key: job for job in found if job is not None}

    def add_new(self, jobs: Sequence[Job]) -> Mapping[str, Job]:
        """Add each job unless one with its idempotency key exists."""
        if not jobs:
            return {}
        in_key_order = sorted(jobs, key=lambda job: job.idempotency_key)
        inserted = set(
            insert_absent(self._connection, JOBS.c.id, [row_of(job) for job in in_key_order])
        )
        present = {job.idempotency_key: job for job in in_key_order if job.id in inserted}
        # A statement of its own: it sees what the transaction that we waited for has committed.
        present |= self.with_keys({job.idempotency_key for job in jobs} - present.keys())
        # A job that gave up its key between the two statements stands in nobody's way any more.
        freed = [job for job in jobs if job.idempotency_key not in present]
        return {**present, **self.add_new(freed)} if freed else present

    def get(self, job_id: UUID) -> Job | None:
        """A job by id."""
        return self._one(job_queries.ONE, wanted_id=job_id)

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

    def changed_since(
        self, moment: datetime, sites: frozenset[str] | None, limit: int
    ) -> Sequence[Job]:
        """Jobs whose state changed at or after a moment, oldest change first."""
        return self._some(job_queries.changed_since(sites), since=moment, at_most=limit)

    def claim(self, priorities: Sequence[Priority], owner: str, lease: timedelta) -> Job | None:
        """From queued to running, for the next job of these priorities; attempts + 1."""
        served = {
            f"served_{priority.value}": priority.value if priority in priorities else ""
            for priority in Priority
        }
        statement = CLAIM_NEXT[self._connection.dialect.name]
        return self._one(statement, owner=owner, lease_s=lease.total_seconds(), **served)

    def extend_leases(self, owner: str, job_ids: Sequence[UUID], lease: timedelta) -> int:
        """Heartbeat: renew the leases of running jobs of this owner; the number that it holds."""
        values = {
            "owner": owner,
            "wanted_ids": list(job_ids),
            "lease_s": lease.total_seconds(),
        }
        return self._connection.execute(job_changes.EXTEND, values).rowcount

    def finish(
        self,
        job: Job,
        event: JobEvent,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> Job | None:
        """From running to completed, rejected or failed, if the claim of ``job`` still holds.

        Raises:
            TransitionNotAllowed: The event is none of the three.
        """
        if event not in job_changes.FINISH:
            raise TransitionNotAllowed(f"{event.value} does not finish a job")
        values: dict[str, Any] = {**_held(job), "notes": list(notes) or None}
        if timings_ms is not None:
            values["timings"] = dict(timings_ms)
        if event is not JobEvent.COMPLETE:
            values |= _because(reason)
        ended = self._one(job_changes.FINISH[event][timings_ms is not None], **values)
        if ended is not None and reason is not None and reason.code in GIVES_UP_KEY:
            return self._one(job_changes.GIVE_UP_KEY, wanted_id=job.id)
        return ended

    def release(
        self, job: Job, *, reason: Reason, backoff: timedelta | None, lost: bool
    ) -> Job | None:
        """From running to queued, if the claim of ``job`` still holds."""
        values = {**_because(reason), **_held(job)}
        if backoff is None:
            return self._one(job_changes.OUTAGE, **values)
        return self._one(job_changes.RELEASE[lost], backoff_s=backoff.total_seconds(), **values)

    def park(self, job: Job, *, reason: Reason, lost: bool) -> Job | None:
        """From running to failed, if the claim of ``job`` still holds."""
        return self._one(job_changes.PARK[lost], **_because(reason), **_held(job))

    def retry(self, job_id: UUID) -> Job | None:
        """From failed to queued, with attempts and losses back at zero."""
        return self._one(job_changes.RETRY, wanted_id=job_id)

    def discard(self, job_id: UUID) -> Job | None:
        """From failed to discarded."""
        return self._one(job_changes.DISCARD, wanted_id=job_id)

    def expired(self, limit: int) -> Sequence[Job]:
        """Running jobs whose lease is over, oldest lease first."""
        return self._some(job_queries.EXPIRED, at_most=limit)

    def claimable(self, priority: Priority, most: int) -> int:
        """Return how many queued jobs of unpaused flows may start, at most ``most``."""
        values = {"wanted_priority": priority.value, "at_most": most}
        return int(self._connection.execute(job_queries.CLAIMABLE, values).scalar_one())

    def depths(self) -> Mapping[Priority, QueueDepth]:
        """Depth of every queue."""
        rows = {(row[0], row[1]): row for row in self._connection.execute(job_queries.DEPTHS)}
        nothing = (None, None, 0, None)
        depths = {}
        for priority in Priority:
            queued = rows.get((priority, source_state(JobEvent.CLAIM)), nothing)
            running = rows.get((priority, source_state(JobEvent.RELEASE)), nothing)
            depths[priority] = QueueDepth(queued[2], running[2], queued[3])
        return depths

    def counts(self, sites: frozenset[str] | None) -> Mapping[JobState, int]:
        """Jobs by state, of these sites or of all; every state is there, zeros too."""
        numbers = dict.fromkeys(JobState, 0)
        for row in self._connection.execute(job_queries.counts(sites)):
            numbers[JobState(row[0])] = row[1]
        return numbers

    def _one(self, statement: Statement, **values: Any) -> Job | None:
        row = statement.first(self._connection, values)
        return None if row is None else job_of(row)

    def _some(self, statement: sa.Executable, **values: Any) -> list[Job]:
        return [job_of(row) for row in self._connection.execute(statement, values)]


def _because(reason: Reason | None) -> dict[str, str | None]:
    return {
        "because": reason.code if reason else None,
        "because_detail": reason.detail if reason else None,
    }


def _held(job: Job) -> dict[str, Any]:
    """What names a claim."""
    return {"wanted_id": job.id, "owner": job.lease_owner, "claimed_at": job.started_at}
