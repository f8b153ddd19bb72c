"""The frame header of a JPEG or JPEG-LS codestream (ITU-T T.81 annex B, T.87 annex C)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from hilum.domain.errors import TruncatedFilm, UnreadableFilm

JPEG_SIGNATURE: Final = b"\xff\xd8\xff"

# SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC); F7 is SOF55 of JPEG-LS.
_FRAME_MARKERS: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
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
    """
    if not data.startswith(b"\xff\xd8"):
        raise UnreadableFilm("The JPEG codestream does not begin with SOI.")
    position = 2
    while position + 4 <= len(data):
        if data[position] != _FILL:
            raise UnreadableFilm("The JPEG codestream has no marker where one has to stand.")
        marker = data[position + 1]
        if marker == _FILL:
            position += 1
        elif marker in _BARE_MARKERS:
            position += 2
        elif marker in (_START_OF_SCAN, _END_OF_IMAGE, 0):
            raise UnreadableFilm("The JPEG codestream has no frame header before its scan.")
        elif marker in _FRAME_MARKERS:
            return _frame(data, position, complete=complete)
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            position += 2 + max(int(length), 2)
    _refuse_cut(complete=complete)
    return None


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
