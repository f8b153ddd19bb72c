"""Attempts at items of work, and the workers that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from hilum.domain.attempt import Attempt, Worker


class AttemptRepository(Protocol):
    """Attempts: written once, when they end."""

    def add(self, attempt: Attempt) -> None:
        """Write an attempt. The database gives it its number and its end."""
        ...

    def of(self, kind: str, work_id: UUID) -> Sequence[Attempt]:
        """Return the attempts at an item, the first one first."""
        ...

    def remove_old(self, age: timedelta, after: UUID | None, most: int) -> UUID | None:
        """Remove attempts that ended so long ago, of some items in the order of their ids.

        Args:
            age: By the database's clock.
            after: The item behind which to begin; None for the first.
            most: Attempts to look at.

        Returns:
            The item behind which to go on; None where no more follow.
        """
        ...


class WorkerRepository(Protocol):
    """Workers, as they were at their last beat."""

    def beat(self, worker: Worker) -> datetime:
        """Write what a worker says of itself; the moment by the database's clock."""
        ...

    def all(self) -> Sequence[Worker]:
        """Return every worker, by name."""
        ...

    def forget(self, silence: timedelta) -> int:
        """Remove the workers that have been silent for so long; how many."""
        ...
