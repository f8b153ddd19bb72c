"""What decoding a JPEG codestream costs, from its markers (ITU-T T.81 annex B)."""

from __future__ import annotations

from typing import Final

from hilum.domain.errors import TooManyScans
from hilum.imaging.budget import BUDGET
from hilum.imaging.jpeg_header import FRAME_MARKERS, header_segments

_SCAN: Final = b"\xff\xda"
_MOST_COMPONENTS: Final = 4
_COEFFICIENT_BYTES: Final = 2
_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
_ARITHMETIC: Final = frozenset(range(0xC9, 0xD0)) & FRAME_MARKERS


def check_scans(data: bytes, pixels: int) -> int:
    """Refuse a codestream whose scans pass over its pixels too often.

    The marker cannot stand in entropy-coded data. In metadata (a thumbnail) it may, and then it
    counts.

    Args:
        data: The codestream: JPEG, JPEG-LS or JPEG Lossless.
        pixels: Rows x columns.

    Returns:
        Pixels x components of all scans.

    Raises:
        TooManyScans: There are too many scans, or too many pixels in all of them together.
    """
    scans = components = 0
    at = data.find(_SCAN)
    while at >= 0:
        scans += 1
        components += min(max(int.from_bytes(data[at + 4 : at + 5]), 1), _MOST_COMPONENTS)
        if scans > BUDGET.scans or components * pixels > BUDGET.pixel_scans:
            raise TooManyScans(
                f"The JPEG has more than {BUDGET.scans} scans, or more than {BUDGET.pixel_scans} "
                "pixels x components in all its scans."
            )
        at = data.find(_SCAN, at + 2)
    return components * pixels


def is_arithmetic(data: bytes) -> bool:
    """Whether a codestream is coded arithmetically, which takes several times as long."""
    return any(marker in _ARITHMETIC for marker, _ in header_segments(data))


def coefficient_bytes(data: bytes, pixels: int) -> int:
    """Memory that libjpeg needs for coefficients.

    Args:
        data: The file.
        pixels: Rows x columns.

    Returns:
        Bytes: 0 for a sequential file of one scan, else 2 for each coefficient of each component.
    """
    found, last = (0, 0), 0
    for marker, last in header_segments(data):
        found = (marker, last) if marker in FRAME_MARKERS else found
    marker, at = found
    # A thumbnail in the metadata has a scan of its own.
    if not at or (marker in _SEQUENTIAL and data.count(_SCAN, last) <= 1):
        return 0
    count = min(data[at + 9], _MOST_COMPONENTS)
    factors = [
        data[at + 11 + 3 * index] for index in range(count) if at + 13 + 3 * index <= len(data)
    ]
    areas = [max(1, factor >> 4) * max(1, factor & 15) for factor in factors]
    return _COEFFICIENT_BYTES * pixels * sum(areas) // max(areas, default=1)
