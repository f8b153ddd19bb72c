"""The id under which a request is found again: in the answer, the log and the audit trail."""

from __future__ import annotations

import re
import uuid
from typing import Final

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

HEADER: Final = "x-request-id"

_SANE: Final = re.compile(rb"[A-Za-z0-9._:-]{8,64}")


def current_request_id() -> str:
    """The id of the request that this task or worker thread serves, or empty."""
    request_id: str = get_contextvars().get("request_id", "")
    return request_id


def adopt_request_id(sent: bytes | None) -> str:
    """Take the client's id where it is a sane one, otherwise make one, and remember it.

    An id that goes into logs is no place for line breaks, quotes or novels. What the request
    before it on this connection had bound to its log lines is forgotten.
    """
    request_id = sent.decode() if sent and _SANE.fullmatch(sent) else uuid.uuid4().hex
    clear_contextvars()
    bind_contextvars(request_id=request_id)
    return request_id
