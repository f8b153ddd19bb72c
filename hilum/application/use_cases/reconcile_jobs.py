"""Find the jobs that nobody works on, and ring for them.

Two kinds: running past their lease (the worker died or hung), and queued without a ring that
anybody heard (the broker was down, or lost its data). A deep queue is neither: as long as enough
rings wait in the broker, workers have all the work they can take, and ringing again would only
fill the broker. So rings are topped up to a low-water mark, oldest film first.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from hilum.application.messages import QUEUES, AnalyseJob
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import BrokerUnavailable, WorkerLost
from hilum.domain.job import Job, Priority, Reason
from hilum.domain.principal import RECONCILER

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import datetime

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.retry_policy import RetryPolicy

_LOG = logging.getLogger(__name__)
_LOCK = "reconcile_jobs"


@dataclass(frozen=True, slots=True)
class ReconcileSettings:
    """How patient the reconciler is.

    Attributes:
        ring_patience: A ring older than this, of a job still queued, may be lost.
        low_water: Rings kept waiting in each queue of the broker, and so the most rung at once.
        batch: Most leases looked at in one run.
    """

    ring_patience: timedelta = timedelta(seconds=15)
    low_water: int = 500
    batch: int = 500


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one run did; all zero when another process held the lock or there was nothing."""

    released: int = 0
    parked: int = 0
    rung: int = 0


class ReconcileJobs:
    """Runs in every worker, one at a time under an advisory lock."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        queue: TaskQueue,
        clock: Clock,
        policy: RetryPolicy,
        chance: random.Random,
        settings: ReconcileSettings,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._queue = queue
        self._clock = clock
        self._policy = policy
        self._chance = chance
        self._settings = settings

    def __call__(self) -> Reconciliation:
        """Reconcile once.

        Raises:
            DatabaseUnavailable: Nothing was done; the next run will.
        """
        room = self._room()
        now = self._clock.now()
        with self._unit_of_work.begin() as transaction:
            if not transaction.try_lock(_LOCK):
                return Reconciliation()
            left = [self._take_back(transaction, job, now) for job in self._lost(transaction, now)]
            overdue = self._overdue(transaction, now, room)
            transaction.jobs.mark_rung([job.id for job in overdue], now)
            transaction.audit.append([_event(job, now) for job in left if job is not None])
        rung = self._ring(overdue)
        parked = sum(1 for job in left if job is not None and job.finished_at is not None)
        return Reconciliation(
            released=sum(1 for job in left if job is not None) - parked,
            parked=parked,
            rung=rung,
        )

    def _room(self) -> Mapping[Priority, int]:
        """Rings to add in each queue; none while the broker is down."""
        try:
            return {
                priority: max(0, self._settings.low_water - self._queue.pending(priority))
                for priority in QUEUES
            }
        except BrokerUnavailable as error:
            _LOG.warning("cannot ring: %s", error)
            return {}

    def _lost(self, transaction: Transaction, now: datetime) -> list[Job]:
        return list(transaction.jobs.expired(now, self._settings.batch))

    def _take_back(self, transaction: Transaction, job: Job, now: datetime) -> Job | None:
        """Queue a lost job again, or park it when it has cost too many workers."""
        reason = Reason(WorkerLost.code, f"worker {job.lease_owner} stopped answering")
        if self._policy.exhausted(job.attempts, job.losses + 1):
            return transaction.jobs.park(job, now, reason=reason, lost=True)
        not_before = now + self._policy.delay(job.losses, self._chance)
        return transaction.jobs.release(job, now, reason=reason, not_before=not_before, lost=True)

    def _overdue(
        self, transaction: Transaction, now: datetime, room: Mapping[Priority, int]
    ) -> list[Job]:
        rung_before = now - self._settings.ring_patience
        return [
            job
            for priority, limit in room.items()
            if limit
            for job in transaction.jobs.unheard(priority, now, rung_before, limit)
        ]

    def _ring(self, jobs: list[Job]) -> int:
        """Ring for jobs; those that cannot be rung for now are overdue again in a while."""
        if not jobs:
            return 0
        try:
            self._queue.ring([AnalyseJob(job.id, job.priority) for job in jobs])
        except BrokerUnavailable as error:
            _LOG.warning("%d rings wait for the broker: %s", len(jobs), error)
            return 0
        return len(jobs)


def _event(job: Job, now: datetime) -> AuditEvent:
    return AuditEvent(
        actor=RECONCILER,
        action=f"job.{job.state.value}",
        object_type="job",
        object_id=str(job.id),
        at=now,
        details={"reason": WorkerLost.code, "losses": job.losses},
    )
