"""Logs as JSON, one object a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from hilum_gateway.request_id import current_request_id


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON, with the id of the request that it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a dict in ``extra={"facts": ...}`` becomes members of the object."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := current_request_id():
            document["request_id"] = request_id
        document.update(getattr(record, "facts", {}))
        if record.exc_info:
            document["trace"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False, default=str)


def log_to_stderr(level: str) -> None:
    """Send every log record of this process to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # What these tell at length, a refused form and a broker that is down, is logged once by us.
    for name in ("python_multipart", "kombu"):
        logging.getLogger(name).setLevel(logging.ERROR)
