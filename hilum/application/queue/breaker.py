"""Stop claims while a dependency is down, and let slots in again step by step.

A breaker opens after a few outages, and a probe asks from time to time whether the dependency is
back. It is half-open then: one slot may claim, and each success doubles the number.
"""

from __future__ import annotations

import threading
from collections import deque
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_OUTAGES: Final = 3
WITHIN_S: Final = 40.0
"""In which so many outages open a breaker: also of one slot that hangs until its deadline."""

PROBE_PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0)
LONGEST_TRIALS_S: Final = 30.0
"""After so long without an outage a breaker closes, whether trials have ended or there were none.

A trial may hang in something else, and would keep the other slots waiting for ever."""


class BreakerState(StrEnum):
    """Whether slots may claim: all, some or none."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Breaker:
    """Of one dependency in one process; safe to call from several threads."""

    def __init__(self, slots: int, clock: Callable[[], float] = monotonic) -> None:
        """Make a closed breaker.

        Args:
            slots: Of this process.
            clock: Monotonic seconds.
        """
        self._slots = slots
        self._clock = clock
        self._lock = threading.Lock()
        self._outages: deque[float] = deque(maxlen=MOST_OUTAGES)
        self._state = BreakerState.CLOSED
        self._limit = 1
        self._trials = 0
        self._pause = 0
        self._due = self._half_open_since = 0.0

    @property
    def state(self) -> BreakerState:
        """Whether slots may claim."""
        return self._state

    def admit(self) -> BreakerState:
        """Ask for a slot that wants to claim.

        Returns:
            ``OPEN`` if it may not. Otherwise the state in which it was let in, for :meth:`leave`:
            in ``HALF_OPEN`` what it runs is a trial.
        """
        with self._lock:
            if self._state is BreakerState.HALF_OPEN:
                if self._trials >= self._limit:
                    return BreakerState.OPEN
                self._trials += 1
            return self._state

    def leave(self, admitted: BreakerState, *, worked: bool) -> None:
        """Note the end of a slot that was let in.

        Args:
            admitted: What :meth:`admit` gave.
            worked: Whether it ran an item, and the dependency did its part.
        """
        if admitted is not BreakerState.HALF_OPEN:
            return
        with self._lock:
            self._trials -= 1
            if worked and self._state is BreakerState.HALF_OPEN:
                self._limit *= 2
                if self._limit >= self._slots:
                    self._close()

    def outage(self) -> None:
        """Note that an attempt ended because the dependency is down."""
        with self._lock:
            now = self._clock()
            self._outages.append(now)
            many = len(self._outages) == MOST_OUTAGES and now - self._outages[0] <= WITHIN_S
            closed = self._state is BreakerState.CLOSED
            if (closed and many) or self._state is BreakerState.HALF_OPEN:
                self._state = BreakerState.OPEN
                self._wait(now)

    def look(self, is_down: Callable[[], bool]) -> None:
        """Probe the dependency if that is due; to be called about every second.

        Args:
            is_down: The probe.
        """
        with self._lock:
            now = self._clock()
            half_open = self._state is BreakerState.HALF_OPEN
            if half_open and now - self._half_open_since >= LONGEST_TRIALS_S:
                self._close()
            if self._state is not BreakerState.OPEN or now < self._due:
                return
        down = is_down()
        with self._lock:
            now = self._clock()
            if down:
                self._wait(now)
            else:
                self._state = BreakerState.HALF_OPEN
                self._half_open_since = now
                self._limit = 1

    def _wait(self, now: float) -> None:
        self._due = now + PROBE_PAUSES_S[self._pause]
        self._pause = min(self._pause + 1, len(PROBE_PAUSES_S) - 1)

    def _close(self) -> None:
        self._state = BreakerState.CLOSED
        self._outages.clear()
        self._pause = 0
