"""A doorbell in memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hilum.application.messages import QUEUES
from hilum.domain.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.messages import AnalyseJob
    from hilum.domain.job import Priority


class RecordingTaskQueue:
    """Fake of :class:`hilum.application.ports.task_queue.TaskQueue`.

    Attributes:
        available: Set it to False to make the broker unavailable.
        rung: Every ring there ever was, oldest first.
    """

    def __init__(self) -> None:
        self.available = True
        self.rung: list[AnalyseJob] = []
        self._waiting: dict[Priority, deque[AnalyseJob]] = {
            priority: deque() for priority in QUEUES
        }

    def ring(self, messages: Sequence[AnalyseJob]) -> None:
        self.check()
        for message in messages:
            self.rung.append(message)
            self._waiting[message.priority].append(message)

    def pending(self, priority: Priority) -> int:
        self.check()
        return len(self._waiting[priority])

    def check(self) -> None:
        if not self.available:
            raise BrokerUnavailable("the broker does not answer: it was told not to")

    def hear(self) -> AnalyseJob | None:
        """Take the next ring as a worker does: the most urgent queue first."""
        for waiting in self._waiting.values():
            if waiting:
                return waiting.popleft()
        return None

    def flush(self) -> None:
        """Lose every ring that nobody has heard, as a broker may."""
        for waiting in self._waiting.values():
            waiting.clear()
