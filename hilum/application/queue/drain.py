"""What a slot does when it is woken: run items until nothing is left."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import BrokerUnavailable
from hilum.domain.job import ANALYSIS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.queue.run_next import Tell
    from hilum.domain.work import Priority, WorkItem

_LOG = logging.getLogger(__name__)

MOST_ITEMS: Final = 50
LONGEST_S: Final = 30.0
"""Far below the broker's visibility timeout, so that no second slot gets the same wake-up."""


class Drain:
    """Runs items one after the other, the most urgent first; safe to call from several threads.

    One acknowledgement serves many items. A lost or doubled wake-up changes nothing, and the order
    comes from the database.
    """

    def __init__(
        self,
        run_next: Callable[[Sequence[Priority], Tell], bool],
        queue: TaskQueue,
        priorities: Sequence[Priority],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare a drain.

        Args:
            run_next: Claims and runs one item: :class:`hilum.application.queue.run_next.RunNext`.
            queue: Gets one more wake-up where this drain stops at a bound.
            priorities: Those that this worker serves.
            clock: Monotonic seconds.
        """
        self._run_next = run_next
        self._queue = queue
        self._priorities = tuple(priorities)
        self._clock = clock
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Return whether it claims nothing more."""
        return self._stopping

    def stop(self) -> None:
        """Claim nothing more. An item that is running is finished."""
        self._stopping = True

    def __call__(self, tell: Tell) -> int:
        """Run items until nothing is left, a bound is reached or the worker stops.

        Args:
            tell: Is called after each item with the item as it was claimed and as it was left.

        Returns:
            How many items were run.

        Raises:
            DatabaseUnavailable: The database is down. Reconciliation publishes wake-ups later.
        """
        begun = self._clock()
        last: tuple[Sequence[Priority], str] = (self._priorities, ANALYSIS.kind)

        def note(claimed: WorkItem, left: WorkItem | None) -> None:
            nonlocal last
            last = ((claimed.priority,), claimed.life.kind)
            tell(claimed, left)

        for done in range(MOST_ITEMS):
            if self._stopping or self._clock() - begun > LONGEST_S:
                return self._wake_another(*last, done)
            if not self._run_next(self._priorities, note):
                return done
        return self._wake_another(*last, MOST_ITEMS)

    def _wake_another(self, priorities: Sequence[Priority], kind: str, done: int) -> int:
        """Wake a slot for what ran last, which has more waiting; a slot of another may serve less.

        One wake-up for each that was used up: with more, they would become more and more.
        """
        try:
            self._queue.wake(priorities, kind)
        except BrokerUnavailable as error:
            _LOG.warning("wakeup.failed", extra={"items": done, "error": error.sentence})
        return done
