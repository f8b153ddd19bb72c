"""How much work waits, measured where the truth is: in the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hilum.application.queue.operate_flows import KINDS
from hilum.domain.delivery import DELIVERY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hilum.application.ports.deliveries import DestinationDepth
    from hilum.application.ports.repositories import QueueDepth
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Priority


@dataclass(frozen=True, slots=True)
class QueueDepths:
    """Work of every kind.

    Attributes:
        measured_at: By the database's clock.
        kinds: Depth by kind of work and priority.
        destinations: What waits for each destination, and what failed.
    """

    measured_at: datetime
    kinds: Mapping[str, Mapping[Priority, QueueDepth]]
    destinations: Mapping[str, DestinationDepth] = field(default_factory=dict)

    def wait(self, depth: QueueDepth) -> float:
        """Return how many seconds the oldest item of a queue has waited."""
        return self.age(depth.oldest_queued_at)

    def age(self, moment: datetime | None) -> float:
        """Return how many seconds a moment is ago, 0 for none."""
        return max(0.0, (self.measured_at - (moment or self.measured_at)).total_seconds())


class MeasureQueues:
    """Measures every queue: for metrics, and for what scales workers by them."""

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    def __call__(self) -> QueueDepths:
        """Depth of every queue.

        Raises:
            DatabaseUnavailable: It cannot be told now.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            kinds = {kind: transaction.work(kind).depths() for kind in (*KINDS, DELIVERY.kind)}
            destinations = transaction.deliveries.by_destination()
            return QueueDepths(transaction.now, kinds, destinations)
