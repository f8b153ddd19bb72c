"""The frame header of a JPEG or JPEG-LS codestream (ITU-T T.81 annex B, T.87 annex C)."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import TooManySegments, TruncatedFilm, UnreadableFilm
from hilum.imaging.budget import BUDGET

if TYPE_CHECKING:
    from collections.abc import Iterator

JPEG_SIGNATURE: Final = b"\xff\xd8\xff"

FRAME_MARKERS: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
"""SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC); F7 is SOF55 of JPEG-LS."""

# Markers that stand alone, without a length: TEM, RST0..7, SOI.
_BARE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_FILL: Final = 0xFF


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """What a start-of-frame segment says.

    Attributes:
        marker: 0xC0..0xCF, or 0xF7 for JPEG-LS.
        precision: Bits per sample.
        rows: Number of lines.
        columns: Samples per line.
        components: Image components.
    """

    marker: int
    precision: int
    rows: int
    columns: int
    components: int


def jpeg_frame(data: bytes, *, complete: bool) -> JpegFrame | None:
    """Find the start-of-frame segment.

    Args:
        data: A codestream, or its first bytes, from SOI on.
        complete: Whether ``data`` is all there is.

    Returns:
        The frame header, or None where the first bytes end before it.

    Raises:
        TruncatedFilm: The codestream is complete and ends before its frame header.
        UnreadableFilm: It is not JPEG, or has no line count in its frame header.
        TooManySegments: More segments than the budget allows.
    """
    for marker, position in header_segments(data):
        if marker in (_START_OF_SCAN, _END_OF_IMAGE, 0):
            raise UnreadableFilm("The JPEG codestream has no frame header before its scan.")
        if marker in FRAME_MARKERS:
            return _frame(data, position, complete=complete)
    _refuse_cut(complete=complete)
    return None


def scans_at(data: bytes) -> int:
    """Offset behind the headers of a codestream, which may hold a thumbnail with its own markers.

    Args:
        data: A codestream from SOI on.

    Returns:
        Offset of the first scan, or of what stands where a marker has to.
    """
    last = 2
    with suppress(UnreadableFilm):  # what stands there is no header, and its decoder says so
        for _, at in header_segments(data):
            last = at
    return last


def header_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Walk the segments of a codestream as far as its first scan.

    Args:
        data: A codestream, or its first bytes, from SOI on.

    Yields:
        The second byte of a marker and the offset of the marker. The first scan, an end of image
        and a marker that is none (0) are the last. Fill bytes and markers without a length are
        left out.

    Raises:
        UnreadableFilm: There is no marker where one has to stand.
        TooManySegments: More segments and fill bytes than the budget allows.
    """
    if not data.startswith(b"\xff\xd8"):
        raise UnreadableFilm("The JPEG codestream does not begin with SOI.")
    position, count = 2, 0
    while position + 4 <= len(data):
        count += 1
        if count > BUDGET.segments:
            raise TooManySegments(
                f"The JPEG has more than {BUDGET.segments} segments before its first scan."
            )
        if data[position] != _FILL:
            raise UnreadableFilm("The JPEG codestream has no marker where one has to stand.")
        marker = data[position + 1]
        if marker == _FILL:
            position += 1
        elif marker in _BARE_MARKERS:
            position += 2
        else:
            yield marker, position
            if marker in (_START_OF_SCAN, _END_OF_IMAGE, 0):
                return
            (length,) = struct.unpack_from(">H", data, position + 2)
            position += 2 + max(int(length), 2)


def _frame(data: bytes, position: int, *, complete: bool) -> JpegFrame | None:
    if position + 10 > len(data):
        _refuse_cut(complete=complete)
        return None
    precision, rows, columns, components = struct.unpack_from(">BHHB", data, position + 4)
    if not rows or not columns:
        raise UnreadableFilm("The JPEG frame header gives no size.")
    return JpegFrame(data[position + 1], precision, rows, columns, components)


def _refuse_cut(*, complete: bool) -> None:
    if complete:
        raise TruncatedFilm("The JPEG codestream ends before its frame header.")
