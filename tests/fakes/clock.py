"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FIRST_MOMENT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class SettableClock:
    """Fake of :class:`hilum.application.ports.clock.Clock`."""

    def __init__(self, moment: datetime = FIRST_MOMENT) -> None:
        self.set(moment)

    def now(self) -> datetime:
        return self._moment

    def set(self, moment: datetime) -> None:
        """Jump to a moment, which knows its time zone."""
        self._moment = moment.astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        """Let time pass; gives the new moment."""
        self._moment += by
        return self._moment
