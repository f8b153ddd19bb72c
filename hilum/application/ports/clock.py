"""Time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Tells the time; a test sets it."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, UTC."""
        ...
