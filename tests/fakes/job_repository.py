"""Jobs in memory: moved from state to state on the database's conditions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilum.domain.job import JobState
from hilum.domain.sent_again import GIVES_UP_KEY
from tests.fakes.work import InMemoryWork

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from hilum.application.ports.repositories import JobCursor, JobFilter
    from hilum.domain.job import Job
    from hilum.domain.work import Reason, WorkEvent


class InMemoryJobs(InMemoryWork):
    def with_ids(self, ids: Iterable[UUID]) -> Mapping[UUID, Job]:
        return {each: self._rows.jobs[each] for each in ids if each in self._rows.jobs}

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
            for job in self._those(which)
            if after is None or (job.created_at, job.id) < (after.created_at, after.id)
        ]
        return sorted(found, key=lambda job: (job.created_at, job.id), reverse=True)[:limit]

    def count(self, which: JobFilter) -> int:
        return len(self._those(which))

    def _those(self, which: JobFilter) -> list[Job]:
        return [
            job
            for job in self._rows.jobs.values()
            if (which.sites is None or job.site in which.sites)
            and which.state in (None, job.state)
            and which.priority in (None, job.priority)
            and which.code in (None, job.reason.code if job.reason else "")
        ]

    def changed_since(
        self, moment: datetime, sites: frozenset[str] | None, limit: int
    ) -> Sequence[Job]:
        found = [
            job
            for job in self._rows.jobs.values()
            if job.updated_at >= moment and (sites is None or job.site in sites)
        ]
        return sorted(found, key=lambda job: (job.updated_at, job.id))[:limit]

    def finish(
        self,
        item: Job,
        event: WorkEvent,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> Job | None:
        ended: Job | None = super().finish(
            item, event, reason=reason, timings_ms=timings_ms, notes=notes
        )
        if ended is not None and reason is not None and reason.code in GIVES_UP_KEY:
            ended = replace(ended, idempotency_key=f"ended {ended.id}")
            self._rows.jobs[ended.id] = ended
        return ended

    def give_up_key(self, job: Job) -> bool:
        self._rows.require_writable()
        held = self._rows.jobs.get(job.id)
        if held is None or held.idempotency_key != job.idempotency_key:
            return False
        self._rows.jobs[job.id] = replace(held, idempotency_key=f"ended {job.id}")
        return True

    def counts(self, sites: frozenset[str] | None) -> Mapping[JobState, int]:
        numbers = dict.fromkeys(JobState, 0)
        for job in self._rows.jobs.values():
            numbers[job.state] += sites is None or job.site in sites
        return numbers
