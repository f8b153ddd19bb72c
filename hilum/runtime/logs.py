"""Logs of a process: one JSON object a line, through structlog.

Standard loggers and structlog's end in the same handler. What was bound to the context with
``structlog.contextvars`` (``request_id``, ``job_id``, ``site``, ``principal``) is on every line.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

_LEVELS: Final = {
    # It tells the content of forms at DEBUG.
    "python_multipart": logging.ERROR,
    # They tell what a peer sent, which may name a patient. The listener logs for itself.
    "pynetdicom": logging.CRITICAL,
    "pydicom": logging.CRITICAL,
    # It wonders at every connection that a folder has no host name.
    "kombu.connection": logging.ERROR,
}
_LEVELS_BUT_FOR_DEBUG: Final = {
    # The outcome of each task, a broker that is down and a late timer are logged once by us.
    "celery": logging.WARNING,
    "amqp": logging.WARNING,
    "kombu": logging.ERROR,
    "apscheduler": logging.ERROR,
}

_encode: Final = json.JSONEncoder(ensure_ascii=False, default=str).encode


def start_logging(level: str, *processors: Processor, stream: TextIO | None = None) -> None:
    """Send every log line and warning of this process to one stream.

    Args:
        level: Lowest level that is written.
        processors: Add further members to each line.
        stream: Standard error by default.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(json_formatter(*processors))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    quiet = _LEVELS if level == "DEBUG" else {**_LEVELS, **_LEVELS_BUT_FOR_DEBUG}
    for name, lowest in quiet.items():
        logging.getLogger(name).setLevel(lowest)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_shared(processors),
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def json_formatter(*processors: Processor) -> ProcessorFormatter:
    """Return what formats a record as one line of JSON; ``extra`` of a call becomes members."""
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder(), *_shared(processors)],
        processors=[structlog.processors.format_exc_info, _arrange],
    )


def _shared(processors: tuple[Processor, ...]) -> tuple[Processor, ...]:
    return (structlog.contextvars.merge_contextvars, *processors)


def _arrange(_logger: Any, _method: str, event: EventDict) -> str:
    """Return the line; its first members are those of the record, then what the call added."""
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog")
    line = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": event.pop("event"),
    }
    if "exception" in event:
        event["trace"] = event.pop("exception")
    return _encode({**line, **event})
