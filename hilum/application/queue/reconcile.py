"""Find the work that nobody runs, and wake slots for it.

In every worker, one at a time under an advisory lock: expired leases are released, jobs of a
release without flows get their tags, pauses end. Then wake-ups are topped up: the broker may have
been down, or may have lost its data.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

from hilum.application.messages import QUEUES
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import BrokerUnavailable, DatabaseUnavailable, WorkerLost
from hilum.domain.job import Job, Priority, Reason
from hilum.domain.principal import RECONCILER

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.retry_policy import RetryPolicy

_LOG = logging.getLogger(__name__)
_LOCK: Final = "reconcile_jobs"

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
        policy: RetryPolicy,
        chance: random.Random,
        lease: timedelta,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._queue = queue
        self._policy = policy
        self._chance = chance
        self._lease_s = lease.total_seconds()
        self._clock = clock
        self._outage = False
        self._expires_from = clock()

    def __call__(self) -> Reconciliation:
        """Reconcile once.

        Raises:
            DatabaseUnavailable: Nothing was done; the next run will.
        """
        try:
            alone, left, claimable = self._in_database()
        except DatabaseUnavailable:
            self._outage = True
            raise
        parked = sum(1 for job in left if job.finished_at is not None)
        try:
            rung = self._top_up(claimable) if alone else 0
        except BrokerUnavailable as error:
            _LOG.warning("no wake-ups: %s", error)
            return Reconciliation(len(left) - parked, parked, 0, broker_down=True)
        return Reconciliation(len(left) - parked, parked, rung)

    def _in_database(self) -> tuple[bool, list[Job], Mapping[Priority, int]]:
        left: list[Job] = []
        asked_at = self._clock()
        with self._unit_of_work.begin() as transaction:
            alone = transaction.try_lock(_LOCK)
            expires = self._expires(asked_at)
            if alone:
                expired = transaction.jobs.expired(MOST_LEASES) if expires else []
                left = [job for job in (self._requeue(transaction, j) for j in expired) if job]
                transaction.work_flows.adopt(MOST_ADOPTED)
                transaction.work_flows.end_pauses()
            claimable = {
                priority: transaction.jobs.claimable(priority, MOST_WAKE_UPS) for priority in QUEUES
            }
            transaction.audit.append([_event(job) for job in left])
        return alone, left, claimable

    def _expires(self, asked_at: float) -> bool:
        """Return whether leases may expire: not within one lease after an outage.

        Workers that could not renew theirs get the time to. A database that hung is an outage, too.
        """
        now = self._clock()
        if self._outage or now - asked_at > self._lease_s / 3:
            self._outage = False
            self._expires_from = now + self._lease_s
        return now >= self._expires_from

    def _requeue(self, transaction: Transaction, job: Job) -> Job | None:
        """Queue a lost job again, or dead-letter it when it has cost too many workers."""
        reason = Reason(WorkerLost.code, f"worker {job.lease_owner} stopped answering")
        if self._policy.exhausted(job.attempts, job.losses + 1):
            return transaction.jobs.park(job, reason=reason, lost=True)
        backoff = self._policy.delay(job.losses, self._chance)
        return transaction.jobs.release(job, reason=reason, backoff=backoff, lost=True)

    def _top_up(self, claimable: Mapping[Priority, int]) -> int:
        """Publish what is missing, so that a wake-up waits for each job that can be claimed."""
        missing = [
            priority
            for priority, number in claimable.items()
            if number
            for _ in range(number - self._queue.waiting(priority))
        ]
        if not missing:
            self._queue.check()
        self._queue.wake(missing)
        return len(missing)


def _event(job: Job) -> AuditEvent:
    return AuditEvent(
        actor=RECONCILER,
        action=f"job.{job.state.value}",
        object_type="job",
        object_id=str(job.id),
        at=job.updated_at,
        details={"reason": WorkerLost.code, "losses": job.losses},
    )
