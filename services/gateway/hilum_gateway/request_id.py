"""The id under which a request is found again: in the answer, the log and the audit trail."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from typing import Final

HEADER: Final = "x-request-id"

_SANE: Final = re.compile(rb"[A-Za-z0-9._:-]{8,64}")
_CURRENT: Final[ContextVar[str]] = ContextVar("hilum_request_id", default="")


def current_request_id() -> str:
    """The id of the request that this task or worker thread serves, or empty."""
    return _CURRENT.get()


def adopt_request_id(sent: bytes | None) -> str:
    """Take the client's id where it is a sane one, otherwise make one, and remember it.

    An id that goes into logs is no place for line breaks, quotes or novels.
    """
    request_id = sent.decode() if sent and _SANE.fullmatch(sent) else uuid.uuid4().hex
    _CURRENT.set(request_id)
    return request_id
