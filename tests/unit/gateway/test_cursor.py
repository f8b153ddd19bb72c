"""Cursors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.application.ports.repositories import JobCursor
from hilum.domain.errors import InvalidRequest
from hilum_gateway.http.cursor import decode_cursor, encode_cursor

MOMENTS = st.integers(0, 2**47).map(
    lambda n: datetime(1970, 1, 1, tzinfo=UTC) + n * timedelta.resolution
)


@given(moment=MOMENTS, job_id=st.uuids())
def test_a_cursor_comes_back_to_the_microsecond(moment, job_id):
    """Rounding would skip or repeat a job."""
    text = encode_cursor(JobCursor(moment, job_id))
    assert decode_cursor(text) == JobCursor(moment, job_id)
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_any_other_text_is_refused_or_a_cursor(text):
    """Never an unforeseen exception."""
    try:
        cursor = decode_cursor(text)
    except InvalidRequest:
        return
    assert isinstance(cursor.id, UUID)


def test_a_time_beyond_the_calendar_is_refused():
    """32 characters that are no moment."""
    with pytest.raises(InvalidRequest):
        decode_cursor("f_________8" + "A" * 21)
