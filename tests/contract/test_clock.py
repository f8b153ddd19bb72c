"""What every clock does: one that a test sets, and the system's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from hilum.adapters.clock.clock import SystemClock
from tests.fakes.clock import SettableClock


@pytest.mark.parametrize("clock", [SettableClock(), SystemClock()], ids=["fake", "system"])
def test_tells_utc(clock):
    """Moments know their zone, so that they can be compared and stored."""
    assert clock.now().tzinfo is UTC


def test_the_fake_moves_only_when_told():
    """A test decides what time it is, in any zone."""
    clock = SettableClock()
    before = clock.now()
    assert clock.now() == before
    assert clock.advance(timedelta(seconds=90)) == clock.now() == before + timedelta(seconds=90)
    clock.set(datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == datetime(2026, 11, 21, 10, tzinfo=UTC)
