"""Task names and payloads: what travels over the broker.

A payload is small and names a job; everything else is in the database. A name carries its
version, so that workers of two releases can share a broker during an upgrade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from hilum.domain.job import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping

ANALYSE_TASK: Final = "hilum.analyse.v1"

QUEUES: Final[Mapping[Priority, str]] = {
    Priority.STAT: "hilum.stat",
    Priority.ROUTINE: "hilum.routine",
    Priority.BATCH: "hilum.batch",
}
"""In the order in which a worker empties them."""


@dataclass(frozen=True, slots=True)
class AnalyseJob:
    """Doorbell: there is a job to claim. Ringing twice, or for a job that is done, is harmless."""

    job_id: UUID
    priority: Priority

    def payload(self) -> dict[str, str]:
        """JSON-ready keyword arguments of :data:`ANALYSE_TASK`."""
        return {"job_id": str(self.job_id), "priority": self.priority.value}

    @classmethod
    def from_payload(cls, job_id: str, priority: str) -> AnalyseJob:
        """Read what :meth:`payload` wrote.

        Raises:
            ValueError: Not a UUID, or not a priority.
        """
        return cls(job_id=UUID(job_id), priority=Priority(priority))
