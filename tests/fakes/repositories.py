"""The rows in memory: the same conditions and answers as the database, in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hilum.application.ports.repositories import QueueDepth
from hilum.domain.audit import GENESIS, AuditRecord, chain_hash
from hilum.domain.errors import InternalError, TransitionNotAllowed
from hilum.domain.job import JobEvent, JobState, Priority, next_state, source_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from hilum.application.ports.repositories import JobCursor, JobFilter
    from hilum.domain.access import ApiKey
    from hilum.domain.audit import AuditEvent
    from hilum.domain.finding import Analysis, Heatmap
    from hilum.domain.job import Job, Reason
    from hilum.domain.study import Instance, Study

QUEUED = source_state(JobEvent.CLAIM)
RUNNING = source_state(JobEvent.RELEASE)
FINISHING = (JobEvent.COMPLETE, JobEvent.REJECT, JobEvent.PARK)


@dataclass
class Rows:
    """Everything that is stored."""

    studies: dict[UUID, Study] = field(default_factory=dict)
    instances: dict[UUID, Instance] = field(default_factory=dict)
    jobs: dict[UUID, Job] = field(default_factory=dict)
    results: dict[UUID, Analysis] = field(default_factory=dict)
    api_keys: dict[str, ApiKey] = field(default_factory=dict)
    audit: list[AuditRecord] = field(default_factory=list)
    writable: bool = True

    def copy(self, *, writable: bool) -> Rows:
        """A copy whose changes do not show here."""
        return Rows(
            dict(self.studies),
            dict(self.instances),
            dict(self.jobs),
            dict(self.results),
            dict(self.api_keys),
            list(self.audit),
            writable,
        )

    def require_writable(self) -> None:
        """Refuse a change in a read-only transaction."""
        if not self.writable:
            raise InternalError("a read-only transaction was asked to write")

    def require_references(self) -> None:
        """Refuse a commit that leaves a row pointing nowhere."""
        for job in self.jobs.values():
            if job.instance_id not in self.instances or job.study_id not in self.studies:
                raise InternalError("a job has no instance or no study")
        for instance in self.instances.values():
            if instance.study_id not in self.studies:
                raise InternalError("an instance has no study")


class InMemoryStudies:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, study: Study, instances: Iterable[Instance]) -> None:
        self._rows.require_writable()
        if study.id in self._rows.studies:
            raise InternalError("this study exists")
        self._rows.studies[study.id] = study
        for instance in instances:
            if instance.id in self._rows.instances:
                raise InternalError("this instance exists")
            self._rows.instances[instance.id] = instance

    def instance(self, instance_id: UUID) -> Instance | None:
        return self._rows.instances.get(instance_id)


class InMemoryJobs:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

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

    def page(self, which: JobFilter, after: JobCursor | None, limit: int) -> Sequence[Job]:
        found = [
            job
            for job in self._rows.jobs.values()
            if which.site in (None, job.site)
            and which.state in (None, job.state)
            and which.priority in (None, job.priority)
            and (after is None or (job.created_at, job.id) < (after.created_at, after.id))
        ]
        return sorted(found, key=lambda job: (job.created_at, job.id), reverse=True)[:limit]

    def changed_since(self, moment: datetime, site: str | None, limit: int) -> Sequence[Job]:
        found = [
            job
            for job in self._rows.jobs.values()
            if job.updated_at >= moment and site in (None, job.site)
        ]
        return sorted(found, key=lambda job: (job.updated_at, job.id))[:limit]

    def claim(self, job_id: UUID, owner: str, now: datetime, lease: timedelta) -> Job | None:
        job = self._rows.jobs.get(job_id)
        if job and job.not_before is not None and job.not_before > now:
            return None
        return self._change(
            job,
            JobEvent.CLAIM,
            now,
            attempts=job.attempts + 1 if job else 0,
            lease_owner=owner,
            lease_expires_at=now + lease,
            not_before=None,
            started_at=now,
        )

    def extend_leases(self, owner: str, job_ids: Sequence[UUID], until: datetime) -> int:
        self._rows.require_writable()
        mine = [
            job
            for job_id in set(job_ids)
            if (job := self._rows.jobs.get(job_id))
            and job.state is RUNNING
            and job.lease_owner == owner
        ]
        for job in mine:
            self._rows.jobs[job.id] = replace(job, lease_expires_at=until)
        return len(mine)

    def finish(
        self,
        job_id: UUID,
        owner: str,
        event: JobEvent,
        now: datetime,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
    ) -> Job | None:
        if event not in FINISHING:
            raise TransitionNotAllowed(f"{event.value} does not finish a job")
        job = self._rows.jobs.get(job_id)
        if job is None or job.lease_owner != owner:
            self._rows.require_writable()
            return None
        return self._change(
            job,
            event,
            now,
            lease_owner=None,
            lease_expires_at=None,
            finished_at=now,
            reason=None if event is JobEvent.COMPLETE else reason,
            timings_ms=job.timings_ms if timings_ms is None else dict(timings_ms),
        )

    def release(
        self, job: Job, now: datetime, *, reason: Reason, not_before: datetime, lost: bool
    ) -> Job | None:
        return self._give_back(
            job,
            JobEvent.RELEASE,
            now,
            lost=lost,
            reason=reason,
            not_before=not_before,
            rung_at=None,
        )

    def park(self, job: Job, now: datetime, *, reason: Reason, lost: bool) -> Job | None:
        return self._give_back(job, JobEvent.PARK, now, lost=lost, reason=reason, finished_at=now)

    def retry(self, job_id: UUID, now: datetime) -> Job | None:
        return self._change(
            self._rows.jobs.get(job_id),
            JobEvent.RETRY,
            now,
            attempts=0,
            losses=0,
            reason=None,
            rung_at=None,
            not_before=None,
            finished_at=None,
        )

    def discard(self, job_id: UUID, now: datetime) -> Job | None:
        return self._change(self._rows.jobs.get(job_id), JobEvent.DISCARD, now)

    def expired(self, now: datetime, limit: int) -> Sequence[Job]:
        over = [
            (job.lease_expires_at, job.id, job)
            for job in self._rows.jobs.values()
            if job.state is RUNNING and job.lease_expires_at and job.lease_expires_at <= now
        ]
        return [job for _, _, job in sorted(over, key=lambda entry: entry[:2])[:limit]]

    def unheard(
        self, priority: Priority, now: datetime, rung_before: datetime, limit: int
    ) -> Sequence[Job]:
        waiting = [
            job
            for job in self._rows.jobs.values()
            if job.state is QUEUED
            and job.priority is priority
            and (job.not_before is None or job.not_before <= now)
            and (job.rung_at is None or job.rung_at < rung_before)
        ]
        return sorted(waiting, key=lambda job: (job.created_at, job.id))[:limit]

    def mark_rung(self, job_ids: Sequence[UUID], rung_at: datetime | None) -> None:
        self._rows.require_writable()
        for job_id in job_ids:
            job = self._rows.jobs.get(job_id)
            if job and job.state is QUEUED:
                self._rows.jobs[job_id] = replace(job, rung_at=rung_at)

    def depths(self) -> Mapping[Priority, QueueDepth]:
        depths = {}
        for priority in Priority:
            mine = [job for job in self._rows.jobs.values() if job.priority is priority]
            queued = [job.created_at for job in mine if job.state is QUEUED]
            running = sum(job.state is RUNNING for job in mine)
            depths[priority] = QueueDepth(len(queued), running, min(queued, default=None))
        return depths

    def counts(self, site: str | None) -> Mapping[JobState, int]:
        numbers = dict.fromkeys(JobState, 0)
        for job in self._rows.jobs.values():
            numbers[job.state] += site in (None, job.site)
        return numbers

    def _give_back(
        self, known: Job, event: JobEvent, now: datetime, *, lost: bool, **changes: Any
    ) -> Job | None:
        job = self._rows.jobs.get(known.id)
        same = job is not None and (job.lease_owner, job.started_at) == (
            known.lease_owner,
            known.started_at,
        )
        if not same or (lost and job and job.lease_expires_at != known.lease_expires_at):
            self._rows.require_writable()
            return None
        losses = (job.losses if job else 0) + lost
        gone = {"lease_owner": None, "lease_expires_at": None}
        return self._change(job, event, now, losses=losses, **gone, **changes)

    def _change(
        self, job: Job | None, event: JobEvent, now: datetime, **changes: Any
    ) -> Job | None:
        self._rows.require_writable()
        if job is None or job.state is not source_state(event):
            return None
        changed = replace(job, state=next_state(job.state, event), updated_at=now, **changes)
        self._rows.jobs[job.id] = changed
        return changed


class InMemoryResults:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, analysis: Analysis) -> bool:
        self._rows.require_writable()
        if analysis.job_id not in self._rows.jobs:
            raise InternalError("a result has no job")
        return self._rows.results.setdefault(analysis.job_id, analysis) is analysis

    def get(self, job_id: UUID) -> Analysis | None:
        analysis = self._rows.results.get(job_id)
        return replace(analysis, heatmaps=()) if analysis else None

    def heatmap(self, job_id: UUID, panel: str, label: str) -> Heatmap | None:
        analysis = self._rows.results.get(job_id)
        heatmaps = analysis.heatmaps if analysis else ()
        return next((h for h in heatmaps if (h.panel, h.label) == (panel, label)), None)


class InMemoryApiKeys:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, key: ApiKey) -> None:
        self._rows.require_writable()
        if key.id in self._rows.api_keys:
            raise InternalError("this id exists")
        self._rows.api_keys[key.id] = key

    def get(self, key_id: str) -> ApiKey | None:
        return self._rows.api_keys.get(key_id)

    def all(self) -> Sequence[ApiKey]:
        return sorted(self._rows.api_keys.values(), key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: str, now: datetime) -> ApiKey | None:
        self._rows.require_writable()
        key = self._rows.api_keys.get(key_id)
        if key is None or key.revoked_at is not None:
            return None
        self._rows.api_keys[key_id] = revoked = replace(key, revoked_at=now)
        return revoked


class InMemoryAuditLog:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def append(self, events: Sequence[AuditEvent]) -> None:
        if not events:
            return
        self._rows.require_writable()
        for event in events:
            last = self._rows.audit[-1] if self._rows.audit else None
            previous = last.hash if last else GENESIS
            sequence = last.sequence + 1 if last else 1
            digest = chain_hash(previous, event)
            self._rows.audit.append(AuditRecord(sequence, event, previous, digest))

    def records(self, after_sequence: int = 0, limit: int = 1000) -> Sequence[AuditRecord]:
        return [r for r in self._rows.audit if r.sequence > after_sequence][:limit]
