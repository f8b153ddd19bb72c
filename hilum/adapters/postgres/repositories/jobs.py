"""Jobs: added once, then moved from state to state on conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.repositories import job_changes, job_queries
from hilum.adapters.postgres.repositories.job_rows import job_of, row_of
from hilum.adapters.postgres.tables import JOBS
from hilum.application.ports.repositories import QueueDepth
from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import JobEvent, JobState, Priority, source_state
from hilum.domain.sent_again import GIVES_UP_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
        missing = {job.idempotency_key for job in jobs} - present.keys()
        if missing:
            found = self._some(job_queries.BY_KEY, keys=sorted(missing))
            present |= {job.idempotency_key: job for job in found}
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

    def claim(self, job_id: UUID, owner: str, now: datetime, lease: timedelta) -> Job | None:
        """From queued to running, if it is queued and its backoff is over; attempts + 1."""
        return self._one(
            job_changes.CLAIM, wanted_id=job_id, owner=owner, now=now, lease=now + lease
        )

    def extend_leases(self, owner: str, job_ids: Sequence[UUID], until: datetime) -> int:
        """Heartbeat: move the leases of running jobs of this owner; the number that it holds."""
        values = {"owner": owner, "wanted_ids": list(job_ids), "lease": until}
        return self._connection.execute(job_changes.EXTEND, values).rowcount

    def finish(
        self,
        job_id: UUID,
        owner: str,
        event: JobEvent,
        now: datetime,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> Job | None:
        """From running to completed, rejected or failed, if this owner still holds the lease.

        Raises:
            TransitionNotAllowed: The event is none of the three.
        """
        if event not in job_changes.FINISH:
            raise TransitionNotAllowed(f"{event.value} does not finish a job")
        values: dict[str, Any] = {"wanted_id": job_id, "owner": owner, "now": now}
        values["notes"] = list(notes) or None
        if timings_ms is not None:
            values["timings"] = dict(timings_ms)
        if event is not JobEvent.COMPLETE:
            values |= _because(reason)
        job = self._one(job_changes.FINISH[event][timings_ms is not None], **values)
        if job is not None and reason is not None and reason.code in GIVES_UP_KEY:
            return self._one(job_changes.GIVE_UP_KEY, wanted_id=job_id)
        return job

    def release(
        self, job: Job, now: datetime, *, reason: Reason, not_before: datetime, lost: bool
    ) -> Job | None:
        """From running to queued, if the claim of ``job`` still holds; to be rung."""
        return self._one(
            job_changes.RELEASE[lost],
            now=now,
            until=not_before,
            **_because(reason),
            **_held(job, lost=lost),
        )

    def park(self, job: Job, now: datetime, *, reason: Reason, lost: bool) -> Job | None:
        """From running to failed, if the claim of ``job`` still holds."""
        return self._one(
            job_changes.PARK[lost], now=now, **_because(reason), **_held(job, lost=lost)
        )

    def retry(self, job_id: UUID, now: datetime) -> Job | None:
        """From failed to queued, with attempts and losses back at zero; to be rung."""
        return self._one(job_changes.RETRY, wanted_id=job_id, now=now)

    def discard(self, job_id: UUID, now: datetime) -> Job | None:
        """From failed to discarded."""
        return self._one(job_changes.DISCARD, wanted_id=job_id, now=now)

    def expired(self, now: datetime, limit: int) -> Sequence[Job]:
        """Running jobs whose lease is over, oldest lease first."""
        return self._some(job_queries.EXPIRED, now=now, at_most=limit)

    def unheard(
        self, priority: Priority, now: datetime, rung_before: datetime, limit: int
    ) -> Sequence[Job]:
        """Queued jobs that may start and were never rung, or last before ``rung_before``."""
        return self._some(
            job_queries.UNHEARD,
            wanted_priority=priority.value,
            now=now,
            rung_before=rung_before,
            at_most=limit,
        )

    def mark_rung(self, job_ids: Sequence[UUID], rung_at: datetime | None) -> None:
        """Note when the doorbell was rung for queued jobs; None asks for a new ring."""
        values = {"wanted_ids": list(job_ids), "moment": rung_at}
        self._connection.execute(job_changes.MARK_RUNG, values)

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


def _held(job: Job, *, lost: bool) -> dict[str, Any]:
    """What must still be so for a release: the same claim and, for a lost worker, its lease."""
    held = {"wanted_id": job.id, "owner": job.lease_owner, "claimed_at": job.started_at}
    return {**held, "lease": job.lease_expires_at} if lost else held
