"""Streams that pydicom parses from, which end a parse that costs too much.

pydicom reads 8 bytes for the header of each element and of each sequence item, at any depth. So a
count of such reads bounds elements and items, whatever the file says. A second count bounds all
reads: a value of undefined length may take very many.
"""

from __future__ import annotations

import io
import os
import zlib
from typing import TYPE_CHECKING, Final

from hilum.adapters.dicom.data_start import VALUE_REPRESENTATIONS
from hilum.domain.errors import (
    CompressionRatioTooHigh,
    TooManyElements,
    UnreadableFilm,
    WorkingMemoryExceeded,
)
from hilum.imaging.budget import BUDGET

if TYPE_CHECKING:
    from hilum.domain.errors import Rejected

_HEADER: Final = 8
_READS_OF_AN_ELEMENT: Final = 5
_PIECE: Final = 64 * 1024
_ZLIB: Final = 0x78
_GZIP: Final = b"\x1f\x8b\x08"
_ANY_HEADER: Final = zlib.MAX_WBITS | 32
_MOST_COPIED: Final = 32 * 1024 * 1024


class ElementCount:
    """Counts the elements and items of one file, in however many streams it is parsed.

    Attributes:
        failure: What ended the parse. pydicom turns some errors of a stream into its own.
    """

    def __init__(self) -> None:
        self._headers = BUDGET.elements
        self._reads = _READS_OF_AN_ELEMENT * BUDGET.elements
        self._copied = 0
        self.failure: Rejected | None = None

    def one_more(self, size: int | None) -> None:
        """Count a read.

        Args:
            size: Bytes that are read.

        Raises:
            TooManyElements: There are more than the budget allows.
        """
        self._reads -= 1
        if size == _HEADER:
            self._headers -= 1
        if self._headers < 0 or self._reads < 0:
            self.fail(
                TooManyElements(
                    f"The DICOM file has more than {BUDGET.elements} elements and sequence items."
                )
            )

    def copy(self, size: int) -> None:
        """Count bytes of a sequence inside another, which are there once more while it is parsed.

        Raises:
            WorkingMemoryExceeded: There are more than the budget allows.
        """
        self._copied += size
        if self._copied > _MOST_COPIED:
            self.fail(
                WorkingMemoryExceeded(
                    f"Nested sequences of the file hold more than {_MOST_COPIED // 2**20} MiB."
                )
            )

    def fail(self, reason: Rejected) -> None:
        """End the parse.

        Raises:
            Rejected: The reason, now and whenever the count is asked again.
        """
        self.failure = self.failure or reason
        raise self.failure


class BoundedStream(io.BytesIO):
    """Bytes of a data set."""

    def __init__(self, data: bytes, count: ElementCount) -> None:
        super().__init__(data)
        self._count = count

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as ``io.BytesIO`` does.

        Raises:
            TooManyElements: The budget of elements is used up.
        """
        self._count.one_more(size)
        return super().read(size)


class InflatedStream(BoundedStream):
    """A deflated data set (PS3.5 section A.5), inflated as far as it is read.

    Args:
        packed: The deflated bytes. Some writers wrap them in the header and checksum of zlib or
            gzip (RFC 1950, RFC 1952).
        count: Counts the elements.
        limit: Most bytes that it may inflate to.
    """

    def __init__(self, packed: bytes, count: ElementCount, limit: int) -> None:
        super().__init__(b"", count)
        wrapped = packed[:1] == bytes([_ZLIB]) and int.from_bytes(packed[:2], "big") % 31 == 0
        headed = wrapped or packed.startswith(_GZIP)
        self._inflater = zlib.decompressobj(_ANY_HEADER if headed else -zlib.MAX_WBITS)
        self._packed = packed
        self._taken = 0
        self._size = 0
        self._limit = limit

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and inflate what is needed for it.

        Raises:
            TooManyElements: The budget of elements is used up.
            UnreadableFilm: The deflated bytes are damaged.
            CompressionRatioTooHigh: More than ``limit`` bytes are needed.
        """
        whole = size is None or size < 0
        self._inflate_to(self._limit if whole else self.tell() + (size or 0))
        return super().read(size)

    def inflate_all(self) -> None:
        """Inflate what is left.

        Raises:
            UnreadableFilm: The deflated bytes are damaged.
            CompressionRatioTooHigh: There are more than ``limit`` bytes.
        """
        self._inflate_to(self._limit + 1)

    def _inflate_to(self, wanted: int) -> None:
        if wanted <= self._size:
            return
        at = self.tell()
        self.seek(0, os.SEEK_END)
        while self._size < wanted and (piece := self._next_piece()):
            self._size += len(piece)
            if self._size > self._limit:
                self._count.fail(
                    CompressionRatioTooHigh(
                        f"The deflated dataset is larger than {self._limit} bytes, the most that "
                        "the limits allow."
                    )
                )
            self.write(piece)
        self.seek(at)

    def _next_piece(self) -> bytes:
        """Inflate a little; empty at the end."""
        try:
            while not self._inflater.eof:
                rest = self._inflater.unconsumed_tail
                fresh = self._packed[self._taken : self._taken + (0 if rest else _PIECE)]
                self._taken += len(fresh)
                if piece := self._inflater.decompress(rest or fresh, _PIECE):
                    return piece
                if not rest and not fresh:
                    break
        except zlib.error:
            self._count.fail(UnreadableFilm("The deflated dataset is damaged."))
        return b""


def opened(packed: bytes, count: ElementCount, limit: int) -> BoundedStream:
    """Open a data set whose transfer syntax says that it is deflated.

    Args:
        packed: The bytes behind the file meta group.
        count: Counts the elements.
        limit: Most bytes that they may inflate to.

    Returns:
        The inflated data set, or the bytes as they are where they are not deflated.
    """
    if packed.startswith(b"\x08\x00") and packed[4:6] in VALUE_REPRESENTATIONS:
        return BoundedStream(packed, count)
    return InflatedStream(packed, count, limit)
