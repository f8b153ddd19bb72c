"""What an operator does with a job: retry, discard, cancel, expedite or reprioritise it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import BrokerUnavailable, FilmExpired, NotFound, TransitionNotAllowed
from hilum.domain.job import Job, JobEvent, JobState, Priority, Reason
from hilum.domain.principal import Permission, Principal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork

_LOG = logging.getLogger(__name__)

CANCELLED: Final = "cancelled"
"""Code of the reason of a job that an operator took out of the queue."""


class OperateJobs:
    """Acts on single jobs. Every act needs the permission at the job's site, and is audited.

    Every method raises:
        NotPermitted: The principal may not operate.
        NotFound: No such job for this principal.
        TransitionNotAllowed: The job's state does not allow it.
        DatabaseUnavailable: Nothing changed.
    """

    def __init__(self, *, unit_of_work: UnitOfWork, queue: TaskQueue, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._queue = queue
        self._clock = clock

    def retry(self, job_id: UUID, principal: Principal, request_id: str) -> Job:
        """Queue a parked job again, with its attempts back at zero, and wake a slot."""

        def change(transaction: Transaction, job: Job) -> Job | None:
            queued = transaction.jobs.change(job, JobEvent.RETRY)
            return _tagged(transaction, queued)

        by = _By(principal, request_id)
        return self._awake(self._act(job_id, "retry", JobState.FAILED, by, change))

    def discard(self, job_id: UUID, principal: Principal, request_id: str) -> Job:
        """End a parked job for good."""
        by = _By(principal, request_id)
        return self._act(job_id, "discard", JobState.FAILED, by, _discard)

    def cancel(self, job_id: UUID, why: str, principal: Principal, request_id: str) -> Job:
        """End a queued job for good. The reason is kept with it."""
        reason = Reason(CANCELLED, why)
        by = _By(principal, request_id, {"reason": why})

        def change(transaction: Transaction, job: Job) -> Job | None:
            return transaction.jobs.change(job, JobEvent.DISCARD, reason)

        return self._act(job_id, "cancel", JobState.QUEUED, by, change)

    def expedite(self, job_id: UUID, principal: Principal, request_id: str) -> Job:
        """Let a queued job run without waiting for the end of its backoff, and wake a slot."""

        def change(transaction: Transaction, job: Job) -> Job | None:
            return transaction.jobs.expedite(job.id)

        by = _By(principal, request_id)
        return self._awake(self._act(job_id, "expedite", JobState.QUEUED, by, change))

    def reprioritise(
        self, job_id: UUID, priority: Priority, principal: Principal, request_id: str
    ) -> Job:
        """Give a queued job another priority, at the end of its site's jobs of that priority."""

        def change(transaction: Transaction, job: Job) -> Job | None:
            return _tagged(transaction, transaction.jobs.reprioritise(job.id, priority))

        by = _By(principal, request_id, {"priority": priority.value})
        return self._awake(self._act(job_id, "reprioritise", JobState.QUEUED, by, change))

    def _act(
        self,
        job_id: UUID,
        act: str,
        state: JobState,
        by: _By,
        change: Callable[[Transaction, Job], Job | None],
    ) -> Job:
        with self._unit_of_work.begin() as transaction:
            job = visible_job(transaction, job_id, by.principal, Permission.OPERATE_QUEUE)
            if job.state is not state:
                raise TransitionNotAllowed(f"a {job.state.value} job cannot {act}")
            changed = change(transaction, job)
            if changed is None:
                raise TransitionNotAllowed(f"job {job_id} was changed by somebody else just now")
            transaction.audit.append(
                [
                    AuditEvent(
                        actor=by.principal,
                        action=f"job.{act}",
                        object_type="job",
                        object_id=str(job_id),
                        at=self._clock.now(),
                        request_id=by.request_id,
                        details=by.details,
                    )
                ]
            )
        return changed

    def _awake(self, job: Job) -> Job:
        try:
            self._queue.wake([job.priority])
        except BrokerUnavailable as error:
            facts = {"job_id": str(job.id), "error": error.sentence}
            _LOG.warning("wakeup.failed", extra=facts)
        return job


@dataclass(frozen=True, slots=True)
class _By:
    """Who acts, in which request, and what the audit log is told besides."""

    principal: Principal
    request_id: str
    details: Mapping[str, str] = field(default_factory=dict)


def _discard(transaction: Transaction, job: Job) -> Job | None:
    return transaction.jobs.change(job, JobEvent.DISCARD)


def _tagged(transaction: Transaction, job: Job | None) -> Job | None:
    """Give a job a place at the end of its flow: an old tag would put it before every other."""
    if job is not None:
        transaction.work_flows.enqueue([job])
    return job


def visible_job(
    transaction: Transaction, job_id: UUID, principal: Principal, permission: Permission
) -> Job:
    """Return a job that a principal sees and at whose site it holds a permission.

    Raises:
        NotPermitted: It holds the permission nowhere, or not at the job's site.
        NotFound: No such job, or one of another site: a principal cannot tell which.
    """
    principal.require(permission)
    job = transaction.jobs.get(job_id)
    if job is None or not principal.holds(Permission.READ_JOBS, job.site):
        raise NotFound(f"no job {job_id}")
    principal.require(permission, job.site)
    return job


def require_film(job: Job) -> None:
    """Return if the film of a job is still kept.

    Raises:
        FilmExpired: It was removed after its time.
    """
    if job.film_expired_at is not None:
        day = job.film_expired_at.date().isoformat()
        raise FilmExpired(
            f"the film of job {job.id} was removed by retention on {day}; what was read of it is "
            "kept, and sending the film again brings it back"
        )
