"""What travels over the broker: wake-ups, which say that a queue has work.

A wake-up names no job, because the database says which job is next. A lost or doubled wake-up
changes nothing but time. Names carry a version, so that workers of two releases share a broker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.domain.delivery import DELIVERY
from hilum.domain.operation import OPERATION
from hilum.domain.work import Priority

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

WAKE_TASK: Final = "hilum.wake.v1"

QUEUES: Final[Mapping[Priority, str]] = {
    Priority.STAT: "hilum.analysis.stat",
    Priority.ROUTINE: "hilum.analysis.routine",
    Priority.BATCH: "hilum.analysis.batch",
}
"""In the order in which a worker empties them. A release before 0.3 drops a task that it does not
know, so these are no queues of its."""

OTHER_QUEUES: Final[dict[str, str]] = {
    DELIVERY.kind: "hilum.delivery",
    OPERATION.kind: "hilum.operations",
}
"""Kinds whose items of every priority share a queue."""

FORMER_TASK: Final = "hilum.analyse.v1"
FORMER_QUEUES: Final[Mapping[Priority, str]] = {
    Priority.STAT: "hilum.stat",
    Priority.ROUTINE: "hilum.routine",
    Priority.BATCH: "hilum.batch",
}
"""A release before 0.3 publishes here. Workers take its messages as wake-ups for one release."""


def queue_of(kind: str, priority: Priority) -> str:
    """Return the name of the queue that has wake-ups for a kind and a priority."""
    return OTHER_QUEUES.get(kind) or QUEUES[priority]


def served_queues(priorities: Sequence[Priority], kinds: Collection[str]) -> list[str]:
    """Return the queues of a worker: jobs of these priorities, and of the other kinds it runs."""
    jobs = [
        queue
        for queues in (QUEUES, FORMER_QUEUES)
        for priority, queue in queues.items()
        if priority in priorities
    ]
    return jobs + [queue for kind, queue in OTHER_QUEUES.items() if kind in kinds]
