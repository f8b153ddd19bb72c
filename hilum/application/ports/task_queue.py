"""Wake-ups for idle slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.job import Priority


class TaskQueue(Protocol):
    """Tells workers that there is work. The database, not the broker, says what work there is.

    Every method raises:
        BrokerUnavailable: The broker does not answer within a short, bounded time.
    """

    def wake(self, priorities: Sequence[Priority]) -> None:
        """Publish one wake-up for each entry, to the queue of that priority."""
        ...

    def waiting(self, priority: Priority) -> int:
        """Return the number of wake-ups that no worker has taken yet."""
        ...

    def check(self) -> None:
        """Return if the broker takes wake-ups now."""
        ...
