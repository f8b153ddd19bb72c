"""A broker in memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hilum.application.messages import QUEUES
from hilum.domain.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.domain.job import Priority


class RecordingTaskQueue:
    """Fake of :class:`hilum.application.ports.task_queue.TaskQueue`.

    Attributes:
        available: Set it to False to make the broker unavailable.
        woken: Every wake-up there ever was, oldest first.
    """

    def __init__(self) -> None:
        self.available = True
        self.woken: list[Priority] = []
        self._waiting: Counter[Priority] = Counter()

    def wake(self, priorities: Sequence[Priority]) -> None:
        self.check()
        self.woken.extend(priorities)
        self._waiting.update(priorities)

    def waiting(self, priority: Priority) -> int:
        self.check()
        return self._waiting[priority]

    def check(self) -> None:
        if not self.available:
            raise BrokerUnavailable("the broker does not answer: it was told not to")

    def hear(self) -> Priority | None:
        """Take the next wake-up as a worker does: the most urgent queue first."""
        for priority in QUEUES:
            if self._waiting[priority]:
                self._waiting[priority] -= 1
                return priority
        return None

    def flush(self) -> None:
        """Lose every wake-up that nobody has taken, as a broker may."""
        self._waiting.clear()
