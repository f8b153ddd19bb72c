"""Time as the system tells it."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The wall clock, kept right by NTP; see the port."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)
