"""Rings for different jobs, and listening until they were heard."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from hilum.application.messages import AnalyseJob
from hilum.domain.job import Priority

if TYPE_CHECKING:
    from tests.contract.queue_consumer import Listener
    from tests.contract.task_queue.bells import FakeListener


def rings(count: int, priority: Priority = Priority.ROUTINE) -> list[AnalyseJob]:
    """Rings for different jobs."""
    return [AnalyseJob(uuid.uuid4(), priority) for _ in range(count)]


def hear_all(listener: Listener | FakeListener, expected: list[AnalyseJob]) -> None:
    """Listen until all of these were heard, in order.

    Others may come between: a ring that was not acknowledged before an outage comes again.
    """
    missing = list(expected)
    while missing:
        [heard] = listener.heard(1)
        if heard == missing[0]:
            missing.pop(0)
