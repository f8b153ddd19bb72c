"""Retry the failed jobs that a filter names, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from hilum.application.operations.run_operation import Chunk
from hilum.application.ports.repositories import JobCursor, JobFilter
from hilum.domain.audit import AuditEvent
from hilum.domain.job import JobState
from hilum.domain.principal import ALL_SITES, Permission, Principal, PrincipalKind
from hilum.domain.work import Priority, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.ports.unit_of_work import Transaction
    from hilum.domain.job import Job
    from hilum.domain.operation import Operation


class RetryJobs:
    """Arguments: ``priority`` and ``code`` of the reason; both may be absent.

    A job that fails again is not retried again, because the cursor has passed it.
    """

    permission = Permission.OPERATE_QUEUE

    def total(self, transaction: Transaction, operation: Operation) -> int:
        """Return how many jobs have failed."""
        return transaction.jobs.count(_filter(operation))

    def chunk(
        self, transaction: Transaction, operation: Operation, most: int, goes_on: Callable[[], bool]
    ) -> Chunk:
        """Retry the next jobs. One that somebody else changed just now counts as failed."""
        after = None if operation.cursor is None else _cursor(operation.cursor)
        found = transaction.jobs.page(_filter(operation), after, most)
        seen: list[Job] = []
        retried: list[Job] = []
        for job in found:
            if not goes_on():
                break
            seen.append(job)
            queued = transaction.jobs.change(job, WorkEvent.RETRY)
            if queued is not None:
                retried.append(queued)
        transaction.work_flows.enqueue(retried)
        transaction.audit.append([_event(job, operation) for job in retried])
        cursor = operation.cursor or ""
        if seen:
            cursor = f"{seen[-1].created_at.isoformat()} {seen[-1].id}"
        at_end = len(seen) == len(found) < most
        return Chunk(None if at_end else cursor, len(retried), len(seen) - len(retried))


def _filter(operation: Operation) -> JobFilter:
    priority = operation.arguments.get("priority")
    return JobFilter(
        sites=None if operation.site == ALL_SITES else frozenset({operation.site}),
        state=JobState.FAILED,
        priority=Priority(priority) if priority else None,
        code=operation.arguments.get("code"),
    )


def _cursor(text: str) -> JobCursor | None:
    if not text:
        return None
    moment, _, job_id = text.partition(" ")
    return JobCursor(datetime.fromisoformat(moment), UUID(job_id))


def _event(job: Job, operation: Operation) -> AuditEvent:
    kind, _, name = operation.principal.partition(":")
    return AuditEvent(
        actor=Principal(PrincipalKind(kind), name),
        action=f"job.{WorkEvent.RETRY.value}",
        object_type="job",
        object_id=str(job.id),
        at=job.updated_at,
        details={"operation": str(operation.id)},
    )
