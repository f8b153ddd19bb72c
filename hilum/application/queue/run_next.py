"""Claim the next item, run it, write its outcome once.

Stages, whose milliseconds are kept with the item: ``wait`` (acceptance to claim), those of the
handler, and ``total`` (claim to commit, the commit itself excluded).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from time import sleep
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from hilum.application.queue.handler import Outcome, Stopwatch
from hilum.domain.audit import AuditEvent
from hilum.domain.errors import (
    DatabaseUnavailable,
    DependencyUnavailable,
    HilumError,
    InternalError,
    Permanent,
    Rejected,
    Transient,
)
from hilum.domain.job import Job, JobEvent, Reason
from hilum.domain.principal import worker

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.queue.dependencies import Admission, Dependencies
    from hilum.application.queue.handler import Handler
    from hilum.application.queue.leases import KeepLeases
    from hilum.domain.job import Priority
    from hilum.domain.retry_policy import RetryPolicy

_LOG = logging.getLogger(__name__)

OUTCOME_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, *([4.0] * 14))
"""Pauses between attempts to write an outcome, 60 s together: a database may fail over."""

LoadedT = TypeVar("LoadedT")
Tell = Callable[[Job, Job | None], object]


class RunNext(Generic[LoadedT]):
    """Runs items; safe to call from several threads."""

    def __init__(  # noqa: PLR0913 - keyword-only, so readable
        self,
        *,
        unit_of_work: UnitOfWork,
        handler: Handler[LoadedT],
        leases: KeepLeases,
        dependencies: Dependencies,
        policy: RetryPolicy,
        chance: random.Random,
        pause: Callable[[float], None] = sleep,
        around: Callable[[Job], AbstractContextManager[object]] = lambda _: nullcontext(),
    ) -> None:
        """Prepare a runner.

        Args:
            unit_of_work: Holds the rows.
            handler: Of this kind of work.
            leases: Of this process.
            dependencies: Of this process.
            policy: Of attempts.
            chance: Of backoffs.
            pause: Waits a number of seconds.
            around: Surrounds each run, to name the item in logs.
        """
        self._unit_of_work = unit_of_work
        self._handler = handler
        self._leases = leases
        self._dependencies = dependencies
        self._policy = policy
        self._chance = chance
        self._pause = pause
        self._around = around

    def __call__(self, priorities: Sequence[Priority], tell: Tell) -> bool:
        """Run the next item of these priorities.

        Whatever goes wrong with the item is written to it. Only a database that is down is passed
        on, and only if it stays down for longer than :data:`OUTCOME_PAUSES_S` together: the lease
        expires then, and the reconciler requeues the item.

        Args:
            priorities: Those that may be claimed.
            tell: Is called with the item as it was claimed and as this call left it, the latter
                None if the lease was lost meanwhile.

        Returns:
            Whether there was anything to claim, and nothing that it needs is down.

        Raises:
            DatabaseUnavailable: The claim or the outcome could not be written.
        """
        with self._dependencies.admit(self._handler.probes) as admission:
            claimed = self._claim(priorities) if admission is not None else None
            if admission is None or claimed is None:
                return False
            job, loaded = claimed
            with self._around(job):
                with self._leases.hold(job.id):
                    left = self._run(job, loaded, admission)
                tell(job, left)
        return True

    def _claim(self, priorities: Sequence[Priority]) -> tuple[Job, LoadedT | Permanent] | None:
        with self._unit_of_work.begin() as transaction:
            job = transaction.jobs.claim(priorities, self._leases.owner, self._leases.lease)
            if job is None:
                return None
            try:
                return job, self._handler.load(transaction, job)
            except Permanent as error:
                # The claim stands, and the item fails: rolled back, it would be claimed for ever.
                return job, error

    def _run(self, job: Job, loaded: LoadedT | Permanent, admission: Admission) -> Job | None:
        claimed_at = job.started_at or job.created_at
        waited = (claimed_at - job.created_at).total_seconds() * 1000
        watch = Stopwatch({"wait": max(0.0, waited)})
        if isinstance(loaded, Permanent):
            return self._end(job, Outcome(JobEvent.PARK, _reason(loaded)), watch)
        admission.ran = True
        outcome: Outcome | None = None
        try:
            with watch.stage("total"):
                outcome = self._handler.run(job, loaded, watch)
            return self._end(job, outcome, watch)
        except Transient as error:
            if outcome is not None:  # which could not be written
                raise
            return self._release(job, error, outage=self._is_outage(error, admission))
        except Rejected as error:
            return self._end(job, Outcome(JobEvent.REJECT, _reason(error)), watch)
        except Permanent as error:
            return self._end(job, Outcome(JobEvent.PARK, _reason(error)), watch)
        except Exception as error:  # noqa: BLE001 - a defect fails one item, not the worker
            _LOG.exception("job %s: unforeseen", job.id)
            unforeseen = InternalError(f"{type(error).__name__}, see the log of job {job.id}")
            return self._end(job, Outcome(JobEvent.PARK, _reason(unforeseen)), watch)

    def _is_outage(self, error: Transient, admission: Admission) -> bool:
        return isinstance(error, DependencyUnavailable) and self._dependencies.is_outage(
            error.dependency, admission
        )

    def _end(self, job: Job, outcome: Outcome, watch: Stopwatch) -> Job | None:
        def write(transaction: Transaction) -> Job | None:
            ended = transaction.jobs.finish(
                job,
                outcome.event,
                reason=outcome.reason,
                timings_ms=watch.milliseconds,
                notes=outcome.notes,
            )
            if ended is not None:
                if outcome.record is not None:
                    outcome.record(transaction)
                transaction.audit.append([self._event(ended, outcome.reason)])
            return ended

        return self._write(job, write)

    def _release(self, job: Job, error: Transient, *, outage: bool) -> Job | None:
        """Requeue the item, or dead-letter it when its attempts are used up.

        An outage takes no attempt of it and knows no backoff: the breaker waits for all items.
        """
        reason = _reason(error)

        def write(transaction: Transaction) -> Job | None:
            if not outage and self._policy.exhausted(job.attempts, job.losses):
                left = transaction.jobs.park(job, reason=reason, lost=False)
            else:
                delay = None if outage else self._policy.delay(job.attempts, self._chance)
                left = transaction.jobs.release(job, reason=reason, backoff=delay, lost=False)
            if left is not None:
                transaction.audit.append([self._event(left, reason)])
            return left

        return self._write(job, write)

    def _write(self, job: Job, write: Callable[[Transaction], Job | None]) -> Job | None:
        """Write an outcome in one transaction; safe to repeat, since it needs a running item."""
        for pause in (*OUTCOME_PAUSES_S, None):
            try:
                with self._unit_of_work.begin() as transaction:
                    left = write(transaction)
            except DatabaseUnavailable as error:
                if pause is None:
                    raise
                _LOG.warning("job %s: outcome not written yet: %s", job.id, error)
                self._pause(pause)
            else:
                if left is None:
                    _LOG.warning("job %s is not this worker's any more", job.id)
                return left
        raise AssertionError("the last attempt returns or raises")

    def _event(self, job: Job, reason: Reason | None) -> AuditEvent:
        return AuditEvent(
            actor=worker(self._leases.owner),
            action=f"job.{job.state.value}",
            object_type="job",
            object_id=str(job.id),
            at=job.updated_at,
            details={
                "attempts": job.attempts,
                "reason": reason.code if reason else None,
                **({"notes": ",".join(job.notes)} if job.notes else {}),
            },
        )


def _reason(error: HilumError) -> Reason:
    return Reason(error.code, error.detail)
