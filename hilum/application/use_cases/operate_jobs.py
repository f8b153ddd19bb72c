"""What an operator does with a parked job: try it again, or discard it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hilum.domain.audit import AuditEvent
from hilum.domain.errors import BrokerUnavailable, FilmExpired, NotFound, TransitionNotAllowed
from hilum.domain.job import Job, JobEvent, JobState
from hilum.domain.principal import Permission, Principal

if TYPE_CHECKING:
    from uuid import UUID

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork

_LOG = logging.getLogger(__name__)


class OperateJobs:
    """Retries and discards parked jobs."""

    def __init__(self, *, unit_of_work: UnitOfWork, queue: TaskQueue, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._queue = queue
        self._clock = clock

    def retry(self, job_id: UUID, principal: Principal, request_id: str) -> Job:
        """Queue a parked job again, with its attempts back at zero, and wake a slot.

        Raises:
            NotPermitted: The principal may not operate.
            NotFound: No such job for this principal.
            TransitionNotAllowed: The job is not parked.
            DatabaseUnavailable: Nothing changed.
        """
        job = self._change(job_id, JobEvent.RETRY, principal, request_id)
        try:
            self._queue.wake([job.priority])
        except BrokerUnavailable as error:
            _LOG.warning("no wake-up for job %s, the reconciler sends one: %s", job.id, error)
        return job

    def discard(self, job_id: UUID, principal: Principal, request_id: str) -> Job:
        """End a parked job for good.

        Raises:
            NotPermitted: The principal may not operate.
            NotFound: No such job for this principal.
            TransitionNotAllowed: The job is not parked.
            DatabaseUnavailable: Nothing changed.
        """
        return self._change(job_id, JobEvent.DISCARD, principal, request_id)

    def _change(self, job_id: UUID, event: JobEvent, principal: Principal, request_id: str) -> Job:
        now = self._clock.now()
        with self._unit_of_work.begin() as transaction:
            job = visible_job(transaction, job_id, principal, Permission.OPERATE_QUEUE)
            if job.state is not JobState.FAILED:
                raise TransitionNotAllowed(f"a {job.state.value} job cannot {event.value}")
            changed = transaction.jobs.change(job, event)
            if changed is None:
                raise TransitionNotAllowed(f"job {job_id} was changed by somebody else just now")
            transaction.audit.append(
                [
                    AuditEvent(
                        actor=principal,
                        action=f"job.{event.value}",
                        object_type="job",
                        object_id=str(job_id),
                        at=now,
                        request_id=request_id,
                    )
                ]
            )
        return changed


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
