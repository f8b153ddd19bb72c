"""One JSON object a line, with the job that a line is about."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_JOB: Final[ContextVar[str | None]] = ContextVar("job", default=None)
_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def about_job(job_id: str) -> Iterator[None]:
    """Put a job's id on every line that this thread logs inside the block."""
    token = _JOB.set(job_id)
    try:
        yield
    finally:
        _JOB.reset(token)


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; what a call passed as ``extra`` becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        job_id = _JOB.get()
        if job_id is not None:
            line["job_id"] = job_id
        line.update((k, v) for k, v in vars(record).items() if k not in _PLAIN)
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def start_logging(level: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process to one stream (stderr by default)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    if level != "DEBUG":
        # Celery tells of every task twice; the outcome of each job is logged here already.
        for name in ("celery", "kombu", "amqp"):
            logging.getLogger(name).setLevel(logging.WARNING)
    # It wonders at every connection that a folder has no host name.
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)
