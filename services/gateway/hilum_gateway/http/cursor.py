"""Cursors: where the next page of jobs begins, as a text that clients only send back."""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from hilum.application.ports.repositories import JobCursor
from hilum.domain.errors import InvalidRequest

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LAYOUT: Final = struct.Struct(">q16s")


def encode_cursor(cursor: JobCursor) -> str:
    """32 characters that are safe in a URL.

    Not signed: a cursor grants nothing, it only says where to go on in what the key may see.
    """
    microseconds = (cursor.created_at - _EPOCH) // _MICROSECOND
    packed = _LAYOUT.pack(microseconds, cursor.id.bytes)
    return base64.urlsafe_b64encode(packed).decode()


def decode_cursor(text: str) -> JobCursor:
    """Read what :func:`encode_cursor` wrote.

    Raises:
        InvalidRequest: It did not write this.
    """
    try:
        packed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        microseconds, job_id = _LAYOUT.unpack(packed)
        return JobCursor(_EPOCH + microseconds * _MICROSECOND, UUID(bytes=job_id))
    except (UnicodeEncodeError, binascii.Error, struct.error, OverflowError):
        raise InvalidRequest("the cursor is not one that this API gave") from None
