"""Find the work that nobody runs, and wake slots for it.

In every worker, one at a time under an advisory lock: expired leases are released, jobs of a
release without flows get their tags, aged batch items become routine, pauses end. Then wake-ups are
topped up: the broker may have been down, or may have lost its data.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from hilum.application.queue.handler import Follows
from hilum.application.queue.run_next import action_of, attempt_of
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import BrokerUnavailable, DatabaseUnavailable, WorkerLost
from hilum.domain.principal import RECONCILER
from hilum.domain.work import AttemptOutcome, Priority, Reason, WorkItem

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.retry_policy import RetryPolicy
    from hilum.domain.work_flow import WorkFlow

_LOG = logging.getLogger(__name__)
_LOCK: Final = "reconcile_jobs"

SILENCE: Final = timedelta(days=1)
"""A worker that has been silent for so long is forgotten."""
MOST_LEASES: Final = 500
MOST_ADOPTED: Final = 500
MOST_ATTEMPTS: Final = 100
"""Attempts whose age one run looks at. A million take half a day, and no index by age is needed."""
MOST_AGED: Final = 64
MOST_WAKE_UPS: Final = 64
"""Wake-ups that wait in one queue. A slot that is awake goes on until nothing is left."""


@dataclass(frozen=True, slots=True)
class Periods:
    """How long what lasts.

    Attributes:
        ageing: The wait of a batch item that becomes routine then.
        lease: A lease.
        attempts: The record of an attempt, and that of an association.
    """

    ageing: timedelta
    lease: timedelta
    attempts: timedelta


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one run did.

    Attributes:
        released: Jobs of lost workers that wait again.
        parked: Jobs that have cost too many workers.
        raised: Batch items that became routine.
        woken: Wake-ups that were published.
        broker_down: Whether wake-ups could not be published.
    """

    released: int = 0
    parked: int = 0
    raised: int = 0
    woken: int = 0
    broker_down: bool = False


@dataclass(slots=True)
class _Found:
    """What one run saw and did in the database."""

    alone: bool
    left: list[WorkItem] = field(default_factory=list)
    raised: list[WorkItem] = field(default_factory=list)
    ended: list[WorkFlow] = field(default_factory=list)
    claimable: dict[str, dict[Priority, int]] = field(default_factory=dict)


class Reconcile:
    """Runs in every worker."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        queue: TaskQueue,
        policies: Mapping[str, RetryPolicy],
        chance: random.Random,
        periods: Periods,
        follows: Follows | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare a reconciler.

        Args:
            unit_of_work: Holds the rows.
            queue: Gets the wake-ups.
            policies: Of the attempts at items, by kind: every kind that there is.
            chance: Of backoffs.
            periods: How long what lasts.
            follows: What belongs to one kind of work.
            clock: Monotonic seconds.
        """
        self._unit_of_work = unit_of_work
        self._queue = queue
        self._policies = policies
        self._follows = follows or Follows()
        self._chance = chance
        self._periods = periods
        self._lease_s = periods.lease.total_seconds()
        self._looked_at: UUID | None = None
        self._clock = clock
        self._outage = True  # for all that a process knows which starts now
        self._expires_from = 0.0

    def __call__(self) -> Reconciliation:
        """Reconcile once.

        Raises:
            DatabaseUnavailable: Nothing was done; the next run will.
        """
        try:
            found = self._in_database()
        except DatabaseUnavailable:
            self._outage = True
            raise
        parked = sum(1 for item in found.left if item.finished_at is not None)
        done = Reconciliation(len(found.left) - parked, parked, len(found.raised))
        try:
            return replace(done, woken=self._top_up(found.claimable) if found.alone else 0)
        except BrokerUnavailable as error:
            _LOG.warning("wakeup.failed", extra={"error": error.sentence})
            return replace(done, broker_down=True)

    def _in_database(self) -> _Found:
        asked_at = self._clock()
        with self._unit_of_work.begin() as transaction:
            found = _Found(alone=transaction.try_lock(_LOCK))
            expires = self._expires(asked_at)
            if not found.alone:
                return found
            transaction.workers.forget(SILENCE)
            looked_at = transaction.attempts.remove_old(
                self._periods.attempts, self._looked_at, MOST_ATTEMPTS
            )
            transaction.associations.remove_old(self._periods.attempts, MOST_ATTEMPTS)
            self._follows.chore(transaction)
            for name, policy in self._policies.items():
                flows = transaction.flows(name)
                if expires:
                    found.left += self._requeue(transaction, name, policy)
                flows.adopt(MOST_ADOPTED)
                found.raised += flows.raise_aged(self._periods.ageing, MOST_AGED)
                found.ended += flows.end_pauses()
                work = transaction.work(name)
                found.claimable[name] = {p: work.claimable(p, MOST_WAKE_UPS) for p in Priority}
            ended = [_ended(flow, transaction.now) for flow in found.ended]
            transaction.audit.append([*map(_lost, found.left), *map(_raised, found.raised), *ended])
        self._looked_at = looked_at
        return found

    def _expires(self, asked_at: float) -> bool:
        """Return whether leases may expire: not within one lease after an outage or a start.

        Workers that could not renew theirs get the time to. A database that hung is an outage, too.
        """
        now = self._clock()
        if self._outage or now - asked_at > self._lease_s / 3:
            self._outage = False
            self._expires_from = now + self._lease_s
        return now >= self._expires_from

    def _requeue(self, transaction: Transaction, kind: str, policy: RetryPolicy) -> list[WorkItem]:
        """Queue lost items again, or dead-letter those that have cost too many workers."""
        work = transaction.work(kind)
        left: list[WorkItem] = []
        for item in work.expired(MOST_LEASES):
            reason = Reason(WorkerLost.code, f"worker {item.lease_owner} stopped answering")
            lost = AttemptOutcome.LOST
            if policy.exhausted(item.attempts, item.losses + 1):
                after = work.park(item, reason=reason, lost=True)
            else:
                backoff = policy.delay(item.losses, self._chance)
                after = work.release(item, lost, reason=reason, backoff=backoff)
            if after is not None:
                if after.finished_at is not None and kind in self._follows.ended:
                    self._follows.ended[kind](transaction, after)
                transaction.attempts.add(attempt_of(item, lost, reason))
                left.append(after)
        return left

    def _top_up(self, claimable: Mapping[str, Mapping[Priority, int]]) -> int:
        """Publish what is missing, so that a wake-up waits for each item that can be claimed."""
        woken = 0
        for kind, numbers in claimable.items():
            missing = [
                priority
                for priority, number in numbers.items()
                if number
                for _ in range(number - self._queue.waiting(priority, kind))
            ]
            self._queue.wake(missing, kind)
            woken += len(missing)
        if not woken:
            self._queue.check()
        return woken


def _lost(item: WorkItem) -> AuditEvent:
    action = action_of(item, AttemptOutcome.LOST)
    return _event(item, action, {"reason": WorkerLost.code, "losses": item.losses})


def _raised(item: WorkItem) -> AuditEvent:
    return _event(item, f"{item.life.noun}.raised", {"priority": item.priority.value})


def _ended(flow: WorkFlow, now: datetime) -> AuditEvent:
    details = {"reason": flow.pause_reason}
    return AuditEvent(RECONCILER, "flow.end_pause", "flow", flow.name, now, details=details)


def _event(item: WorkItem, action: str, details: Mapping[str, Any]) -> AuditEvent:
    return AuditEvent(
        actor=RECONCILER,
        action=action,
        object_type=item.life.noun,
        object_id=str(item.id),
        at=item.updated_at,
        details=details,
    )
