"""Queue deliveries of a job that ends, in the transaction that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from hilum.domain.delivery import DELIVERY, DeliveredObject, Delivery, DeliveryState
from hilum.domain.destination import ObjectKind, When
from hilum.domain.impression import ImpressionKind
from hilum.domain.job import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.unit_of_work import Transaction
    from hilum.domain.destination import Destination
    from hilum.domain.job import Job


def queue_deliveries(transaction: Transaction, job: Job) -> Sequence[Delivery]:
    """Queue a delivery to each destination of the job's site that wants its result.

    An image that is no DICOM object belongs to no study, and nothing of it is sent.

    Args:
        transaction: Which has just ended the job.
        job: As it is left.

    Returns:
        What was queued.
    """
    wanted = [
        (destination, kinds)
        for destination in transaction.destinations.of_site(job.site)
        if (kinds := _wanted(transaction, destination, job))
    ]
    if not wanted:
        return ()
    if not transaction.submissions.is_in_study(job.instance_id):
        return ()
    now = transaction.now
    queued: Sequence[Delivery] = transaction.flows(DELIVERY.kind).tagged(
        [
            Delivery(
                id=uuid4(),
                site=job.site,
                state=DeliveryState.QUEUED,
                priority=job.priority,
                created_at=now,
                updated_at=now,
                queued_at=now,
                traceparent=job.traceparent,
                request_id=job.request_id,
                destination_id=destination.id,
                job_id=job.id,
                objects=tuple(DeliveredObject(kind) for kind in kinds),
            )
            for destination, kinds in wanted
        ]
    )
    transaction.deliveries.add(queued)
    return queued


def _wanted(transaction: Transaction, destination: Destination, job: Job) -> tuple[ObjectKind, ...]:
    """Return what a destination wants of a job; a failed or rejected one has no result."""
    if job.state is not JobState.COMPLETED:
        return tuple(kind for kind in destination.objects if kind is ObjectKind.NO_RESULT)
    if destination.when is When.POSITIVE and not _is_positive(transaction, job):
        return ()
    return tuple(kind for kind in destination.objects if kind is not ObjectKind.NO_RESULT)


def _is_positive(transaction: Transaction, job: Job) -> bool:
    analysis = transaction.results.get(job.id)
    impression = None if analysis is None else analysis.impression
    return impression is not None and impression.kind is ImpressionKind.FINDING
