"""How much work waits, measured where the truth is: in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.application.ports.repositories import QueueDepth
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.job import Priority


class MeasureQueues:
    """Measures every queue: for metrics, and for what scales workers by them."""

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    def __call__(self) -> Mapping[Priority, QueueDepth]:
        """Depth of every queue.

        Raises:
            DatabaseUnavailable: It cannot be told now.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            return transaction.jobs.depths()
