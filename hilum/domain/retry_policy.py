"""When a job is tried again, and when it is parked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with jitter, and two budgets.

    An attempt that an outage ended is not among them. The others are many and far apart, since the
    worker may be short of memory or the server overloaded. A film that kills its worker harms the
    films beside it, so lost workers have a budget of their own, a small one.

    Attributes:
        max_attempts: Claims before a job is parked; None for any number.
        max_losses: Lost workers before a job is parked.
        base: Delay after the first attempt.
        cap: Longest delay.
        max_age: How long an item is tried, outages of what it needs included; None for ever.
    """

    max_attempts: int | None = 12
    max_losses: int = 3
    base: timedelta = timedelta(seconds=1)
    cap: timedelta = timedelta(minutes=5)
    max_age: timedelta | None = None

    def exhausted(self, attempts: int, losses: int) -> bool:
        """Whether a job with so many attempts and losses is parked instead of tried again."""
        tried_out = self.max_attempts is not None and attempts >= self.max_attempts
        return tried_out or losses >= self.max_losses

    def expired(self, age: timedelta) -> bool:
        """Whether a job that has been tried for so long is parked."""
        return self.max_age is not None and age >= self.max_age

    def delay(self, attempts: int, chance: random.Random) -> timedelta:
        """How long to wait after this many attempts: half to all of ``base * 2**(attempts - 1)``.

        The jitter keeps the films that one outage threw back from returning all at once.
        """
        doublings = min(max(attempts - 1, 0), 20)
        full = min(self.cap, self.base * (1 << doublings))
        return full * chance.uniform(0.5, 1.0)
