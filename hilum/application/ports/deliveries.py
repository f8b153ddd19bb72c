"""Rows: deliveries. What every kind of work has is in :mod:`hilum.application.ports.work`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hilum.application.ports.work import WorkRepository
from hilum.domain.delivery import Delivery

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from hilum.domain.delivery import DeliveredObject, DeliveryState


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries a list shows. None: all.

    Attributes:
        sites: Of these sites.
        states: In these states.
        destination_id: To this destination.
        job_id: Of this job.
    """

    sites: frozenset[str] | None = None
    states: frozenset[DeliveryState] | None = None
    destination_id: str | None = None
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DestinationDepth:
    """What waits for one destination.

    Attributes:
        waiting: Deliveries that are queued or run.
        oldest_waiting_at: Since when the oldest of them waits, or None.
        failed: Dead letters.
    """

    waiting: int
    oldest_waiting_at: datetime | None
    failed: int


class DeliveryRepository(WorkRepository[Delivery], Protocol):
    """Deliveries."""

    def progress(
        self,
        delivery: Delivery,
        objects: Sequence[DeliveredObject],
        transaction_uid: str | None = None,
    ) -> bool:
        """Store the state of the objects; False if the claim that ``delivery`` shows is over."""
        ...

    def keep(
        self, delivery_id: UUID, objects: Sequence[DeliveredObject], transaction_uid: str | None
    ) -> None:
        """Store the state of the objects in the transaction that ended the run."""
        ...

    def newest(
        self, which: DeliveryFilter, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Delivery]:
        """Return deliveries, newest first.

        Args:
            which: Only these.
            after: ``created_at`` and id of the last one of the page before.
            limit: At most so many.
        """
        ...

    def sent_of_image(self, delivery: Delivery) -> Collection[str]:
        """Return the SOP Instance UIDs of what this destination took of results of the same image.

        The same image is every instance of its SOP Instance UID at its site, in whatever transfer
        syntax it came. The delivery itself does not count.
        """
        ...

    def of_transaction(self, transaction_uid: str) -> Delivery | None:
        """Return the delivery for which a storage commitment was asked under this UID."""
        ...

    def silent(self, age: timedelta, limit: int) -> Sequence[Delivery]:
        """Return sent deliveries whose commitment was asked for so long ago and never came."""
        ...

    def by_destination(self) -> Mapping[str, DestinationDepth]:
        """Return what waits and what failed, by destination. Others are left out."""
        ...
