"""A broker in memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hilum.application.queue.messages import QUEUES, queue_of
from hilum.domain.errors import BrokerUnavailable
from hilum.domain.job import ANALYSIS

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
        self._waiting: Counter[str] = Counter()

    def wake(self, priorities: Sequence[Priority], kind: str = ANALYSIS.kind) -> None:
        self.check()
        self.woken.extend(priorities)
        self._waiting.update(queue_of(kind, priority) for priority in priorities)

    def waiting(self, priority: Priority, kind: str = ANALYSIS.kind) -> int:
        self.check()
        return self._waiting[queue_of(kind, priority)]

    def check(self) -> None:
        if not self.available:
            raise BrokerUnavailable("the broker does not answer: it was told not to")

    def hear(self) -> Priority | None:
        """Take the next wake-up for a job as a worker does: the most urgent queue first."""
        for priority, queue in QUEUES.items():
            if self._waiting[queue]:
                self._waiting[queue] -= 1
                return priority
        return None

    def flush(self) -> None:
        """Lose every wake-up that nobody has taken, as a broker may."""
        self._waiting.clear()
