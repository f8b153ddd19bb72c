"""Jobs in memory: moved from state to state on the database's conditions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hilum.application.ports.repositories import QueueDepth
from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import JobEvent, JobState, Priority, next_state, source_state
from hilum.domain.sent_again import GIVES_UP_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from hilum.application.ports.repositories import JobCursor, JobFilter
    from hilum.domain.job import Job, Reason
    from hilum.domain.work_flow import WorkFlow
    from tests.fakes.repositories import Rows

QUEUED = source_state(JobEvent.CLAIM)
RUNNING = source_state(JobEvent.RELEASE)
FINISHING = (JobEvent.COMPLETE, JobEvent.REJECT, JobEvent.PARK)


class InMemoryJobs:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def with_keys(self, keys: Iterable[str]) -> Mapping[str, Job]:
        wanted = set(keys)
        held = {job.idempotency_key: job for job in self._rows.jobs.values()}
        return {key: job for key, job in held.items() if key in wanted}

    def add_new(self, jobs: Sequence[Job]) -> Mapping[str, Job]:
        self._rows.require_writable()
        by_key = {job.idempotency_key: job for job in self._rows.jobs.values()}
        for job in jobs:
            if job.idempotency_key not in by_key and job.id not in self._rows.jobs:
                self._rows.jobs[job.id] = by_key[job.idempotency_key] = job
        keys = {job.idempotency_key for job in jobs}
        return {key: job for key, job in by_key.items() if key in keys}

    def get(self, job_id: UUID) -> Job | None:
        return self._rows.jobs.get(job_id)

    def newest_of_film(self, site: str, sop_instance_uid: str) -> Job | None:
        found = [
            job
            for job in self._rows.jobs.values()
            if job.site == site
            and job.state in {JobState.COMPLETED, JobState.REJECTED}
            and self._rows.instances[job.instance_id].sop_instance_uid == sop_instance_uid
        ]
        return max(found, key=lambda job: (job.created_at, job.id), default=None)

    def page(self, which: JobFilter, after: JobCursor | None, limit: int) -> Sequence[Job]:
        found = [
            job
            for job in self._rows.jobs.values()
            if (which.sites is None or job.site in which.sites)
            and which.state in (None, job.state)
            and which.priority in (None, job.priority)
            and (after is None or (job.created_at, job.id) < (after.created_at, after.id))
        ]
        return sorted(found, key=lambda job: (job.created_at, job.id), reverse=True)[:limit]

    def changed_since(
        self, moment: datetime, sites: frozenset[str] | None, limit: int
    ) -> Sequence[Job]:
        found = [
            job
            for job in self._rows.jobs.values()
            if job.updated_at >= moment and (sites is None or job.site in sites)
        ]
        return sorted(found, key=lambda job: (job.updated_at, job.id))[:limit]

    def claim(self, priorities: Sequence[Priority], owner: str, lease: timedelta) -> Job | None:
        now = self._rows.now()
        ready = [
            (list(Priority).index(job.priority), job.fair_tag + offset, job.created_at, job)
            for job in self._ready()
            if job.priority in priorities and (offset := self._offset(job)) is not None
        ]
        if not ready:
            self._rows.require_writable()
            return None
        job = min(ready, key=lambda one: (*one[:3], one[3].site, one[3].id))[-1]
        return self._change(
            job,
            JobEvent.CLAIM,
            attempts=job.attempts + 1,
            lease_owner=owner,
            lease_expires_at=now + lease,
            not_before=None,
            started_at=now,
        )

    def claimable(self, priority: Priority, most: int) -> int:
        ready = [job for job in self._ready() if job.priority is priority]
        paused = [job for job in ready if (f := self._flow(job)) and f.paused_until is not None]
        return min(most, len(ready) - len(paused))

    def _ready(self) -> list[Job]:
        now = self._rows.now()
        return [
            job
            for job in self._rows.jobs.values()
            if job.state is QUEUED and (job.not_before is None or job.not_before <= now)
        ]

    def _flow(self, job: Job) -> WorkFlow | None:
        return self._rows.work_flows.get((job.priority, job.site))

    def _offset(self, job: Job) -> float | None:
        """Of the job's flow; None where it is paused, or where there is none yet."""
        flow = self._flow(job)
        return None if flow is None or flow.paused_until is not None else flow.tag_offset

    def extend_leases(self, owner: str, job_ids: Sequence[UUID], lease: timedelta) -> int:
        self._rows.require_writable()
        mine = [
            job
            for job_id in set(job_ids)
            if (job := self._rows.jobs.get(job_id))
            and job.state is RUNNING
            and job.lease_owner == owner
        ]
        for job in mine:
            self._rows.jobs[job.id] = replace(job, lease_expires_at=self._rows.now() + lease)
        return len(mine)

    def finish(
        self,
        job: Job,
        event: JobEvent,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> Job | None:
        if event not in FINISHING:
            raise TransitionNotAllowed(f"{event.value} does not finish a job")
        gives_up = reason is not None and reason.code in GIVES_UP_KEY
        return self._give_back(
            job,
            event,
            lost=False,
            idempotency_key=f"ended {job.id}" if gives_up else job.idempotency_key,
            finished_at=self._rows.now(),
            reason=None if event is JobEvent.COMPLETE else reason,
            timings_ms=job.timings_ms if timings_ms is None else dict(timings_ms),
            notes=tuple(notes),
        )

    def release(
        self, job: Job, *, reason: Reason, backoff: timedelta | None, lost: bool
    ) -> Job | None:
        return self._give_back(
            job,
            JobEvent.RELEASE,
            lost=lost,
            reason=reason,
            not_before=None if backoff is None else self._rows.now() + backoff,
            rung_at=None,
            attempts=job.attempts - (backoff is None),
        )

    def park(self, job: Job, *, reason: Reason, lost: bool) -> Job | None:
        now = self._rows.now()
        return self._give_back(job, JobEvent.PARK, lost=lost, reason=reason, finished_at=now)

    def retry(self, job_id: UUID) -> Job | None:
        return self._change(
            self._rows.jobs.get(job_id),
            JobEvent.RETRY,
            attempts=0,
            losses=0,
            reason=None,
            rung_at=None,
            not_before=None,
            finished_at=None,
        )

    def discard(self, job_id: UUID) -> Job | None:
        given_up = {"idempotency_key": f"ended {job_id}"}
        return self._change(self._rows.jobs.get(job_id), JobEvent.DISCARD, **given_up)

    def expired(self, limit: int) -> Sequence[Job]:
        now = self._rows.now()
        over = [
            (job.lease_expires_at, job.id, job)
            for job in self._rows.jobs.values()
            if job.state is RUNNING and job.lease_expires_at and job.lease_expires_at <= now
        ]
        return [job for _, _, job in sorted(over, key=lambda entry: entry[:2])[:limit]]

    def depths(self) -> Mapping[Priority, QueueDepth]:
        depths = {}
        for priority in Priority:
            mine = [job for job in self._rows.jobs.values() if job.priority is priority]
            queued = [job.created_at for job in mine if job.state is QUEUED]
            running = sum(job.state is RUNNING for job in mine)
            depths[priority] = QueueDepth(len(queued), running, min(queued, default=None))
        return depths

    def counts(self, sites: frozenset[str] | None) -> Mapping[JobState, int]:
        numbers = dict.fromkeys(JobState, 0)
        for job in self._rows.jobs.values():
            numbers[job.state] += sites is None or job.site in sites
        return numbers

    def _give_back(self, known: Job, event: JobEvent, *, lost: bool, **changes: Any) -> Job | None:
        job = self._rows.jobs.get(known.id)
        same = job is not None and (job.lease_owner, job.started_at) == (
            known.lease_owner,
            known.started_at,
        )
        expired = job and job.lease_expires_at and job.lease_expires_at <= self._rows.now()
        if not same or (lost and not expired):
            self._rows.require_writable()
            return None
        losses = (job.losses if job else 0) + lost
        gone = {"lease_owner": None, "lease_expires_at": None}
        return self._change(job, event, losses=losses, **gone, **changes)

    def _change(self, job: Job | None, event: JobEvent, **changes: Any) -> Job | None:
        now = self._rows.now()
        self._rows.require_writable()
        if job is None or job.state is not source_state(event):
            return None
        changed = replace(job, state=next_state(job.state, event), updated_at=now, **changes)
        self._rows.jobs[job.id] = changed
        return changed
