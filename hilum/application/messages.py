"""What travels over the broker: wake-ups, which say that a queue has work.

A wake-up names no job, because the database says which job is next. A lost or doubled wake-up
changes nothing but time. Names carry a version, so that workers of two releases share a broker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.domain.job import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping

WAKE_TASK: Final = "hilum.wake.v1"

QUEUES: Final[Mapping[Priority, str]] = {
    Priority.STAT: "hilum.analysis.stat",
    Priority.ROUTINE: "hilum.analysis.routine",
    Priority.BATCH: "hilum.analysis.batch",
}
"""In the order in which a worker empties them. A release before 0.3 drops a task that it does not
know, so these are no queues of its."""

FORMER_TASK: Final = "hilum.analyse.v1"
FORMER_QUEUES: Final[Mapping[Priority, str]] = {
    Priority.STAT: "hilum.stat",
    Priority.ROUTINE: "hilum.routine",
    Priority.BATCH: "hilum.batch",
}
"""A release before 0.3 publishes here. Workers take its messages as wake-ups for one release."""
