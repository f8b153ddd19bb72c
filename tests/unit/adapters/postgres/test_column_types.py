"""Times mean the same in both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from hilum.adapters.postgres.column_types import UtcTime

if TYPE_CHECKING:
    from collections.abc import Callable

EAST = datetime(2026, 11, 21, 14, 45, 0, 7, tzinfo=timezone(timedelta(hours=5, minutes=45)))
SAME = datetime(2026, 11, 21, 9, 0, 0, 7, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    """A naive time could mean any zone, so it is never stored."""
    naive = EAST.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        UtcTime().process_bind_param(naive, sqlite.dialect())


def test_sqlite_keeps_utc_text_that_orders_like_time() -> None:
    """The stored text has no zone, always microseconds, and comes back in UTC."""
    dialect = sqlite.dialect()
    column = UtcTime().dialect_impl(dialect)
    bind: Callable[[Any], Any] | None = column.bind_processor(dialect)
    read: Callable[[Any], Any] | None = column.result_processor(dialect, None)
    assert bind is not None
    assert read is not None
    assert bind(EAST) == "2026-11-21 09:00:00.000007"
    assert bind(EAST.replace(microsecond=0)) == "2026-11-21 09:00:00.000000"
    back = read(bind(EAST))
    assert back == SAME
    assert back.tzinfo is UTC


def test_postgresql_is_given_and_gives_utc() -> None:
    """Whatever zone the session has, the time in Python is in UTC."""
    column, dialect = UtcTime(), postgresql.dialect()  # type: ignore[no-untyped-call]
    for moment in (
        column.process_bind_param(EAST, dialect),
        column.process_result_value(EAST, dialect),
    ):
        assert moment == SAME
        assert moment.tzinfo is UTC
