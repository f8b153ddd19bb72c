"""Logs of a command that a person runs: level, event and fields on one line, no JSON.

It needs the standard library alone, since not every command is installed with structlog.
"""

from __future__ import annotations

import logging
from typing import Final

OF_RECORD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})
"""Attributes of every record, so no names of fields."""


class PlainFormatter(logging.Formatter):
    """``WARNING wakeup.failed error='broker_unavailable: the broker does not answer'``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the line without a traceback."""
        fields = {name: value for name, value in vars(record).items() if name not in OF_RECORD}
        told = (f"{name}={value!r}" for name, value in fields.items())
        return " ".join([record.levelname, record.message, *told])


def start_plain_logging(level: int) -> None:
    """Write lines of a level and above to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler])
