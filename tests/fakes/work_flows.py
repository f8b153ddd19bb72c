"""Flows of work in memory."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hilum.domain.delivery import DELIVERY
from hilum.domain.job import ANALYSIS
from hilum.domain.operation import OPERATION
from hilum.domain.principal import ALL_SITES
from hilum.domain.site import Site
from hilum.domain.work import Priority, WorkEvent
from hilum.domain.work_flow import WorkFlow, virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta
    from uuid import UUID

    from hilum.domain.work import LifeCycle, WorkItem
    from tests.fakes.repositories import Rows


class InMemoryWorkFlows:
    def __init__(self, rows: Rows, life: LifeCycle[Any] = ANALYSIS) -> None:
        self._rows = rows
        self._kind = life.kind
        self._queued = life.source(WorkEvent.CLAIM)
        self._items: dict[UUID, Any] = rows.work(life.kind)
        self._flows = rows.flows(life.kind)

    def tagged(self, items: Sequence[Any]) -> Sequence[Any]:
        self._rows.require_writable()
        with_tags = []
        now = {item.priority: self._virtual_time(item.priority) for item in items}
        ordered = sorted(items, key=_flow_of)
        for (_, site), members in groupby(ordered, key=_flow_of):
            own = list(members)
            flow = self._flow(own[0].priority, site)
            tags, after = flow.enqueue(len(own), now[flow.priority])
            self._flows[flow.priority, site] = after
            with_tags += [replace(job, fair_tag=tag) for job, tag in zip(own, tags, strict=True)]
        return with_tags

    def enqueue(self, items: Sequence[WorkItem]) -> None:
        self._items |= {item.id: item for item in self.tagged(items)}

    def adopt(self, limit: int) -> int:
        found = [job for job in self._waiting() if job.fair_tag == 0][:limit]
        self.enqueue(found)
        return len(found)

    def raise_aged(self, age: timedelta, most: int) -> Sequence[Any]:
        self._rows.require_writable()
        old = [job for job in self._waiting() if job.created_at <= self._rows.now() - age]
        room = most - sum(job.priority is Priority.ROUTINE for job in old)
        batch = [job for job in old if job.priority is Priority.BATCH][: max(1, room)]
        raised = self.tagged([replace(job, priority=Priority.ROUTINE) for job in batch])
        self._items |= {job.id: replace(job, updated_at=self._rows.now()) for job in raised}
        return [self._items[job.id] for job in raised]

    def all(self) -> Sequence[WorkFlow]:
        return sorted(self._flows.values(), key=lambda f: (f.priority.value, f.flow))

    def pause(self, priority: Priority, site: str, length: timedelta, reason: str) -> None:
        self._rows.require_writable()
        self._flows[priority, site] = replace(
            self._flow(priority, site),
            paused_until=self._rows.now() + length,
            pause_reason=reason,
        )

    def end_pauses(self) -> Sequence[WorkFlow]:
        over = [
            flow
            for flow in self.all()
            if flow.paused_until is not None and flow.paused_until <= self._rows.now()
        ]
        for flow in over:
            self.resume(flow.priority, flow.flow)
        return over

    def resume(self, priority: Priority, site: str) -> bool:
        self._rows.require_writable()
        flow = self._flows.setdefault((priority, site), self._flow(priority, site))
        if flow.paused_until is None:
            return False
        own = [
            item.fair_tag
            for item in self._waiting()
            if (item.priority, item.flow) == (priority, site)
            and item.fair_tag > 0
            and item.attempts == 0
        ]
        first = min(own, default=None)
        self._flows[priority, site] = flow.resume(first, self._virtual_time(priority))
        return True

    def limit(self, name: str, max_running: int) -> None:
        self._rows.require_writable()
        for priority in Priority:
            flow = self._flow(priority, name)
            self._flows[priority, name] = replace(flow, max_running=max_running)

    def block(self, name: str, delay: Callable[[int], timedelta]) -> bool:
        self._rows.require_writable()
        now = self._rows.now()
        own = [flow for flow in self._flows.values() if flow.flow == name]
        until = now + delay(max((flow.failures for flow in own), default=0))
        free = [flow for flow in own if flow.blocked_until is None or flow.blocked_until <= now]
        for flow in free:
            self._flows[flow.priority, name] = replace(
                flow, blocked_until=until, failures=flow.failures + 1
            )
        return bool(free)

    def unblock(self, name: str) -> bool:
        self._rows.require_writable()
        failed = [one for one in self._flows.values() if one.flow == name and one.failures]
        for flow in failed:
            self._flows[flow.priority, name] = replace(flow, blocked_until=None, failures=0)
        return bool(failed)

    def _flow(self, priority: Priority, site: str) -> WorkFlow:
        is_site = site != ALL_SITES and self._kind != DELIVERY.kind
        weight = 1.0 if not is_site else self._rows.sites.setdefault(site, 1.0)
        known = self._flows.get((priority, site))
        return known or WorkFlow(self._kind, priority, site, weight=weight)

    def _waiting(self) -> list[Any]:
        waiting = [job for job in self._items.values() if job.state is self._queued]
        return sorted(waiting, key=lambda job: (job.created_at, job.id))

    def _virtual_time(self, priority: Priority) -> float:
        flows = {f.flow: f for (of, _), f in self._flows.items() if of is priority}
        first: dict[str, float] = {}
        for job in self._waiting():
            flow = flows.get(job.flow)
            if flow is None or flow.paused_until is not None or job.priority is not priority:
                continue
            if job.fair_tag > 0 and job.attempts == 0:
                tag = job.fair_tag + flow.tag_offset
                first[job.flow] = min(first.get(job.flow, tag), tag)
        return virtual_time(
            list(first.values()), [flow.last_tag + flow.tag_offset for flow in flows.values()]
        )


class InMemorySites:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def all(self) -> Sequence[Site]:
        return [Site(*item) for item in sorted(self._rows.sites.items())]

    def set_weight(self, site: str, weight: float) -> None:
        self._rows.require_writable()
        self._rows.sites[site] = weight
        for kind in (ANALYSIS.kind, OPERATION.kind):
            flows = self._rows.flows(kind)
            flows |= {
                (priority, site): flow.with_weight(weight)
                for priority in Priority
                for flow in [flows.get((priority, site)) or WorkFlow(kind, priority, site)]
            }


def _flow_of(item: WorkItem) -> tuple[str, str]:
    return item.priority.value, item.flow
