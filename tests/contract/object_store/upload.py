"""What the tests upload: bytes in chunks, and a client that goes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

MEDIA_TYPE = "application/dicom"
PART = 5 * 1024 * 1024


def pattern(size: int) -> bytes:
    """Bytes in which no two parts of an upload are alike."""
    return np.arange(size // 8 + 1, dtype=">u8").tobytes()[:size]


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """The data in chunks."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


class ClientGone(Exception):
    """The person who uploaded closed the browser."""
