"""A delivery: a result on its way to one destination, and the table of what may happen to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from hilum.domain.work import LifeCycle, WorkEvent


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
