"""Flows of work in memory."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from hilum.domain.job import JobEvent, Priority, source_state
from hilum.domain.work_flow import WorkFlow, virtual_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from hilum.domain.job import Job
    from tests.fakes.repositories import Rows

QUEUED = source_state(JobEvent.CLAIM)


class InMemoryWorkFlows:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def tagged(self, jobs: Sequence[Job]) -> Sequence[Job]:
        self._rows.require_writable()
        with_tags = []
        now = {job.priority: self._virtual_time(job.priority) for job in jobs}
        ordered = sorted(jobs, key=lambda job: (job.priority.value, job.site))
        for (_, site), members in groupby(ordered, key=lambda job: (job.priority.value, job.site)):
            own = list(members)
            flow = self._flow(own[0].priority, site)
            tags, after = flow.enqueue(len(own), now[flow.priority])
            self._rows.work_flows[flow.priority, site] = after
            with_tags += [replace(job, fair_tag=tag) for job, tag in zip(own, tags, strict=True)]
        return with_tags

    def adopt(self, limit: int) -> int:
        found = [job for job in self._waiting() if job.fair_tag == 0][:limit]
        self._rows.jobs |= {job.id: job for job in self.tagged(found)}
        return len(found)

    def all(self) -> Sequence[WorkFlow]:
        return sorted(self._rows.work_flows.values(), key=lambda f: (f.priority.value, f.flow))

    def pause(self, priority: Priority, site: str, length: timedelta, reason: str) -> None:
        self._rows.require_writable()
        self._rows.work_flows[priority, site] = replace(
            self._flow(priority, site),
            paused_until=self._rows.now() + length,
            pause_reason=reason,
        )

    def end_pauses(self) -> int:
        over = [
            flow
            for flow in self.all()
            if flow.paused_until is not None and flow.paused_until <= self._rows.now()
        ]
        return sum(self.resume(flow.priority, flow.flow) for flow in over)

    def resume(self, priority: Priority, site: str) -> bool:
        self._rows.require_writable()
        flow = self._rows.work_flows.setdefault((priority, site), self._flow(priority, site))
        if flow.paused_until is None:
            return False
        own = [j.fair_tag for j in self._waiting() if (j.priority, j.site) == (priority, site)]
        first = min(own, default=None)
        self._rows.work_flows[priority, site] = flow.resume(first, self._virtual_time(priority))
        return True

    def _flow(self, priority: Priority, site: str) -> WorkFlow:
        known = self._rows.work_flows.get((priority, site))
        return known or WorkFlow("analysis", priority, site)

    def _waiting(self) -> list[Job]:
        waiting = [job for job in self._rows.jobs.values() if job.state is QUEUED]
        return sorted(waiting, key=lambda job: (job.created_at, job.id))

    def _virtual_time(self, priority: Priority) -> float:
        flows = {f.flow: f for (of, _), f in self._rows.work_flows.items() if of is priority}
        first: dict[str, float] = {}
        for job in self._waiting():
            flow = flows.get(job.site)
            if flow is None or flow.paused_until is not None or job.priority is not priority:
                continue
            if job.fair_tag > 0 and job.attempts == 0:
                tag = job.fair_tag + flow.tag_offset
                first[job.site] = min(first.get(job.site, tag), tag)
        return virtual_time(
            list(first.values()), [flow.last_tag + flow.tag_offset for flow in flows.values()]
        )
