"""A delivery: a result on its way to one destination, and the table of what may happen to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from hilum.domain.work import LifeCycle, WorkEvent, WorkItem

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from hilum.domain.destination import ObjectKind


class DeliveryState(StrEnum):
    """Where a delivery stands. ``sent`` is final where no storage commitment is asked for."""

    RECEIVED = "received"
    QUEUED = "queued"
    RUNNING = "running"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    DISCARDED = "discarded"


DELIVERY: Final = LifeCycle.of(
    "delivery",
    "delivery",
    DeliveryState,
    [
        (WorkEvent.DELIVER, DeliveryState.RUNNING, DeliveryState.SENT),
        (WorkEvent.CONFIRM, DeliveryState.SENT, DeliveryState.CONFIRMED),
        # The commitment failed, or was silent for too long.
        (WorkEvent.DENY, DeliveryState.SENT, DeliveryState.QUEUED),
    ],
)
"""The life of a delivery."""


class ObjectState(StrEnum):
    """Where one object of a delivery stands."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    SKIPPED = "skipped"
    """It cannot be made, e.g. since retention took the image whose pixels it shows."""


@dataclass(frozen=True, slots=True)
class DeliveredObject:
    """One object of a delivery, kept in its row.

    Attributes:
        kind: What it is.
        state: Where it stands.
        sop_class_uid: Of the object that was made; empty where none was yet.
        sop_instance_uid: Likewise.
        digest: SHA-256 of its data set, hexadecimal, likewise.
        status: Status of the C-STORE response, or of HTTP; None without an answer.
        words: The peer's own words, or why it was skipped.
    """

    kind: ObjectKind
    state: ObjectState = ObjectState.WAITING
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    digest: str = ""
    status: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(WorkItem):
    """The result of a job, on its way to one destination.

    Attributes:
        destination_id: Where it goes. This is its flow.
        job_id: Whose result.
        objects: State of each object.
        queued_at: Since when it is tried: acceptance, or the last retry by a person or denial.
        sent_at: When the peer had taken all of it.
        transaction_uid: Of the storage commitment that was asked for, or None.
    """

    life: ClassVar[LifeCycle[DeliveryState]] = DELIVERY

    state: DeliveryState
    destination_id: str
    job_id: UUID
    objects: tuple[DeliveredObject, ...] = ()
    queued_at: datetime
    sent_at: datetime | None = None
    transaction_uid: str | None = None

    @property
    def flow(self) -> str:
        """Return its destination: a slow one holds up nobody else."""
        return self.destination_id

    @property
    def tried_since(self) -> datetime:
        """Return since when its attempts count: they have a day."""
        return self.queued_at
