"""Logs of commands: one readable line with every field."""

from __future__ import annotations

import logging

from hilum.runtime.plain_logs import PlainFormatter


def test_a_line_has_level_event_and_fields():
    """What each record has by itself is left out."""
    made = logging.makeLogRecord(
        {"levelname": "WARNING", "msg": "wakeup.failed", "error": "a: b", "jobs": 2}
    )
    assert PlainFormatter().format(made) == "WARNING wakeup.failed error='a: b' jobs=2"


def test_a_traceback_follows_its_line():
    """As with every formatter of the library."""
    error = ValueError("x")
    made = logging.makeLogRecord({"msg": "a.b", "exc_info": (ValueError, error, None)})
    first, *rest = PlainFormatter().format(made).splitlines()
    assert first.endswith("a.b")
    assert rest[-1] == "ValueError: x"
