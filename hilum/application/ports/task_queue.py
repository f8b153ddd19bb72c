"""Wake-ups for idle slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hilum.domain.job import ANALYSIS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.work import Priority


class TaskQueue(Protocol):
    """Tells workers that there is work. The database, not the broker, says what work there is.

    Every method raises:
        BrokerUnavailable: The broker does not answer within a short, bounded time.
    """

    def wake(self, priorities: Sequence[Priority], kind: str = ANALYSIS.kind) -> None:
        """Publish one wake-up for each entry, to the queue of that priority and kind of work."""
        ...

    def waiting(self, priority: Priority, kind: str = ANALYSIS.kind) -> int:
        """Return the number of wake-ups that no worker has taken yet."""
        ...

    def check(self) -> None:
        """Return if the broker takes wake-ups now."""
        ...
