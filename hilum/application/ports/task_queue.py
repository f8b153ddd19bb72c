"""The doorbell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.messages import AnalyseJob
    from hilum.domain.job import Priority


class TaskQueue(Protocol):
    """Tells workers that there is work. The database, not the queue, says what work there is.

    Every method raises:
        BrokerUnavailable: The broker does not answer within a short, bounded time.
    """

    def ring(self, messages: Sequence[AnalyseJob]) -> None:
        """Ring once for each message."""
        ...

    def pending(self, priority: Priority) -> int:
        """Rings that no worker has heard yet."""
        ...

    def check(self) -> None:
        """Return if the broker answers."""
        ...
