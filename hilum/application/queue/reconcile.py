"""Find the work that nobody runs, and wake slots for it.

In every worker, one at a time under an advisory lock: expired leases are released, jobs of a
release without flows get their tags, pauses end. Then wake-ups are topped up: the broker may have
been down, or may have lost its data.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hilum.application.queue.run_next import attempt_of
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import BrokerUnavailable, WorkerLost
from hilum.domain.principal import RECONCILER
from hilum.domain.work import AttemptOutcome, Priority, Reason, WorkItem

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.queue.handler import Kind
    from hilum.domain.retry_policy import RetryPolicy

_LOG = logging.getLogger(__name__)
_LOCK: Final = "reconcile_jobs"

SILENCE: Final = timedelta(days=1)
"""A worker that has been silent for so long is forgotten."""
MOST_LEASES: Final = 500
MOST_ADOPTED: Final = 500
MOST_WAKE_UPS: Final = 64
"""Wake-ups that wait in one queue. A slot that is awake goes on until nothing is left."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one run did.

    Attributes:
        released: Jobs of lost workers that wait again.
        parked: Jobs that have cost too many workers.
        rung: Wake-ups that were published.
        broker_down: Whether wake-ups could not be published.
    """

    released: int = 0
    parked: int = 0
    rung: int = 0
    broker_down: bool = False


class Reconcile:
    """Runs in every worker."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        queue: TaskQueue,
        kinds: Mapping[str, Kind],
        chance: random.Random,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._queue = queue
        self._kinds = kinds
        self._chance = chance

    def __call__(self) -> Reconciliation:
        """Reconcile once.

        Raises:
            DatabaseUnavailable: Nothing was done; the next run will.
        """
        left: list[WorkItem] = []
        claimable: dict[str, dict[Priority, int]] = {}
        with self._unit_of_work.begin() as transaction:
            alone = transaction.try_lock(_LOCK)
            if alone:
                transaction.workers.forget(SILENCE)
            for name, kind in self._kinds.items():
                if alone:
                    left += self._requeue(transaction, name, kind.policy)
                    transaction.flows(name).adopt(MOST_ADOPTED)
                    transaction.flows(name).end_pauses()
                work = transaction.work(name)
                claimable[name] = {p: work.claimable(p, MOST_WAKE_UPS) for p in Priority}
            transaction.audit.append([_event(item) for item in left])
        parked = sum(1 for item in left if item.finished_at is not None)
        try:
            rung = self._top_up(claimable) if alone else 0
        except BrokerUnavailable as error:
            _LOG.warning("no wake-ups: %s", error)
            return Reconciliation(len(left) - parked, parked, 0, broker_down=True)
        return Reconciliation(len(left) - parked, parked, rung)

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
                transaction.attempts.add(attempt_of(item, lost, reason))
                left.append(after)
        return left

    def _top_up(self, claimable: Mapping[str, Mapping[Priority, int]]) -> int:
        """Publish what is missing, so that a wake-up waits for each item that can be claimed."""
        rung = 0
        for kind, numbers in claimable.items():
            missing = [
                priority
                for priority, number in numbers.items()
                if number
                for _ in range(number - self._queue.waiting(priority, kind))
            ]
            self._queue.wake(missing, kind)
            rung += len(missing)
        if not rung:
            self._queue.check()
        return rung


def _event(item: WorkItem) -> AuditEvent:
    return AuditEvent(
        actor=RECONCILER,
        action=f"{item.life.noun}.{item.state.value}",
        object_type=item.life.noun,
        object_id=str(item.id),
        at=item.updated_at,
        details={"reason": WorkerLost.code, "losses": item.losses},
    )
