"""Work of one kind in memory: moved from state to state on the database's conditions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hilum.application.ports.work import QueueDepth
from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.job import ANALYSIS
from hilum.domain.work import AttemptOutcome, Priority, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from hilum.domain.work import LifeCycle, Reason, WorkItem
    from hilum.domain.work_flow import WorkFlow
    from tests.fakes.repositories import Rows

SUCCESS = (WorkEvent.COMPLETE, WorkEvent.DELIVER)
FINISHING = (*SUCCESS, WorkEvent.REJECT, WorkEvent.PARK)
NO_LEASE = {"lease_owner": None, "lease_expires_at": None}


class InMemoryWork:
    def __init__(self, rows: Rows, life: LifeCycle[Any] = ANALYSIS) -> None:
        self._rows = rows
        self._life = life
        self._items: dict[UUID, Any] = rows.work(life.kind)
        self._queued = life.source(WorkEvent.CLAIM)
        self._running = life.source(WorkEvent.RELEASE)
        self._failed = life.source(WorkEvent.RETRY)

    def add(self, items: Sequence[Any]) -> None:
        self._rows.require_writable()
        self._items |= {item.id: item for item in items}

    def get(self, item_id: UUID) -> Any:
        return self._items.get(item_id)

    def claim(self, priorities: Sequence[Priority], owner: str, lease: timedelta) -> Any:
        now = self._rows.now()
        ready = [
            (list(Priority).index(item.priority), item.fair_tag + offset, item.created_at, item)
            for item in self._ready()
            if item.priority in priorities and (offset := self._offset(item)) is not None
        ]
        if not ready:
            self._rows.require_writable()
            return None
        item = min(ready, key=lambda one: (*one[:3], one[3].site, one[3].id))[-1]
        return self._move(
            item,
            WorkEvent.CLAIM,
            attempts=item.attempts + 1,
            lease_owner=owner,
            lease_expires_at=now + lease,
            not_before=None,
            started_at=now,
        )

    def claimable(self, priority: Priority, most: int) -> int:
        ready = [item for item in self._ready() if item.priority is priority]
        return min(most, len(ready) - sum(self._is_stopped(item) for item in ready))

    def _is_stopped(self, item: WorkItem) -> bool:
        """Whether the item's flow is paused, blocked, or has as many running items as it may."""
        flow = self._flow(item)
        if flow is None:
            return False
        running = [one for one in self._items.values() if one.state is self._running]
        most = 1 if flow.failures else flow.max_running
        return (
            flow.paused_until is not None
            or (flow.blocked_until is not None and flow.blocked_until > self._rows.now())
            or (most is not None and sum(one.flow == item.flow for one in running) >= most)
        )

    def _ready(self) -> list[Any]:
        now = self._rows.now()
        return [
            item
            for item in self._items.values()
            if item.state is self._queued and (item.not_before is None or item.not_before <= now)
        ]

    def _flow(self, item: WorkItem) -> WorkFlow | None:
        return self._rows.flows(self._life.kind).get((item.priority, item.flow))

    def _offset(self, item: WorkItem) -> float | None:
        """Of the item's flow; None where it is stopped, or where there is none yet."""
        flow = self._flow(item)
        return None if flow is None or self._is_stopped(item) else flow.tag_offset

    def extend_leases(self, owner: str, item_ids: Sequence[UUID], lease: timedelta) -> int:
        self._rows.require_writable()
        mine = [
            item
            for item_id in set(item_ids)
            if (item := self._items.get(item_id))
            and item.state is self._running
            and item.lease_owner == owner
        ]
        for item in mine:
            self._items[item.id] = replace(item, lease_expires_at=self._rows.now() + lease)
        return len(mine)

    def finish(
        self,
        item: Any,
        event: WorkEvent,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> Any:
        if event not in FINISHING or not self._life.sources(event):
            raise TransitionNotAllowed(f"{event.value} does not finish a {self._life.noun}")
        changes: dict[str, Any] = {}
        if hasattr(item, "timings_ms"):
            timings = item.timings_ms if timings_ms is None else dict(timings_ms)
            changes = {"timings_ms": timings, "notes": tuple(notes)}
        reason = None if event in SUCCESS else reason
        now = self._rows.now()
        if event is WorkEvent.DELIVER:
            changes["sent_at"] = now
        return self._give_back(item, event, lost=False, finished_at=now, reason=reason, **changes)

    def release(
        self,
        item: Any,
        outcome: AttemptOutcome,
        *,
        reason: Reason | None = None,
        backoff: timedelta = timedelta(),
    ) -> Any:
        changes = {"reason": reason, "not_before": self._rows.now() + backoff}
        if outcome is AttemptOutcome.DONE:
            changes |= {"attempts": 0, "losses": 0}
        if outcome is AttemptOutcome.OUTAGE:
            changes |= {"attempts": item.attempts - 1, "not_before": None}
        if hasattr(item, "rung_at"):
            changes["rung_at"] = None
        lost = outcome is AttemptOutcome.LOST
        return self._give_back(item, WorkEvent.RELEASE, lost=lost, **changes)

    def park(self, item: Any, *, reason: Reason, lost: bool) -> Any:
        now = self._rows.now()
        return self._give_back(item, WorkEvent.PARK, lost=lost, reason=reason, finished_at=now)

    def change(self, item: Any, event: WorkEvent, reason: Reason | None = None) -> Any:
        self._life.after(item.state, event)
        if event in {*FINISHING, WorkEvent.ENQUEUE, WorkEvent.CLAIM, WorkEvent.RELEASE}:
            raise TransitionNotAllowed(f"{event.value} is an event of a slot")
        changes: dict[str, Any] = {}
        if event in {WorkEvent.RETRY, WorkEvent.RESUBMIT, WorkEvent.DENY}:
            changes = {"attempts": 0, "losses": 0, "reason": None, "not_before": None}
            changes |= {"finished_at": None}
            if hasattr(item, "rung_at"):
                changes["rung_at"] = None
            if hasattr(item, "queued_at"):
                now = self._rows.now()
                changes |= {"queued_at": now, "sent_at": None, "transaction_uid": None}
        elif event is not WorkEvent.CONFIRM and item.state in {self._queued, self._running}:
            changes = {"reason": reason, "finished_at": self._rows.now(), **NO_LEASE}
        if event is WorkEvent.DISCARD and hasattr(item, "idempotency_key"):
            changes["idempotency_key"] = f"ended {item.id}"
        found = self._items.get(item.id)
        same = found is not None and found.state is item.state
        self._rows.require_writable()
        return self._move(found, event, **changes) if same else None

    def expedite(self, item_id: UUID) -> Any:
        return self._while_queued(item_id, not_before=None)

    def reprioritise(self, item_id: UUID, priority: Priority) -> Any:
        return self._while_queued(item_id, priority=priority)

    def raise_priority(self, item_id: UUID, priority: Priority) -> Any:
        self._rows.require_writable()
        item = self._items.get(item_id)
        if item is None or item.state not in {self._queued, self._running}:
            return None
        urgent = list(Priority)
        if urgent.index(priority) >= urgent.index(item.priority):
            return None
        changes = {"updated_at": self._rows.now(), "priority": priority, "fair_tag": 0.0}
        self._items[item_id] = replace(item, **changes)
        return self._items[item_id]

    def _while_queued(self, item_id: UUID, **changes: Any) -> Any:
        self._rows.require_writable()
        item = self._items.get(item_id)
        if item is None or item.state is not self._queued:
            return None
        self._items[item_id] = replace(item, updated_at=self._rows.now(), **changes)
        return self._items[item_id]

    def expired(self, limit: int) -> Sequence[Any]:
        now = self._rows.now()
        over = [
            (item.lease_expires_at, item.id, item)
            for item in self._items.values()
            if item.state is self._running
            and item.lease_expires_at
            and item.lease_expires_at <= now
        ]
        return [item for _, _, item in sorted(over, key=lambda entry: entry[:2])[:limit]]

    def depths(self) -> Mapping[Priority, QueueDepth]:
        depths = {}
        for priority in Priority:
            mine = [item for item in self._items.values() if item.priority is priority]
            queued = [item.created_at for item in mine if item.state is self._queued]
            running = sum(item.state is self._running for item in mine)
            failed = sum(item.state is self._failed for item in mine)
            depths[priority] = QueueDepth(len(queued), running, min(queued, default=None), failed)
        return depths

    def _give_back(self, known: Any, event: WorkEvent, *, lost: bool, **changes: Any) -> Any:
        self._life.after(known.state, event)
        item = self._items.get(known.id)
        same = item is not None and (item.lease_owner, item.started_at) == (
            known.lease_owner,
            known.started_at,
        )
        expired = item and item.lease_expires_at and item.lease_expires_at <= self._rows.now()
        if not same or (lost and not expired):
            self._rows.require_writable()
            return None
        changes = {"losses": (item.losses if item else 0) + lost, **changes}
        return self._move(item, event, **NO_LEASE, **changes)

    def _move(self, item: Any, event: WorkEvent, **changes: Any) -> Any:
        self._rows.require_writable()
        if (item.state, event) not in self._life.transitions:
            return None
        after = self._life.after(item.state, event)
        changed = replace(item, state=after, updated_at=self._rows.now(), **changes)
        self._items[item.id] = changed
        return changed
