"""What decoding a PNG or JPEG file costs: scans, metadata and memory, before it is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.domain.errors import WorkingMemoryExceeded
from hilum.imaging.budget import BUDGET
from hilum.imaging.jpeg_cost import check_scans, coefficient_bytes, is_arithmetic
from hilum.imaging.metadata_cost import check_jpeg_metadata, check_png_chunks

if TYPE_CHECKING:
    from hilum.imaging.film import FilmHeader

_DEEP: Final = 16
_INTERLACE: Final = 28
_PILLOW_COLOUR: Final = 4
_MIB: Final = 1024 * 1024
# What costs about as much as a pixel of an uncompressed grey image of 16 bits.
_SCANNED: Final = 8
_WORKING_BYTES: Final = 8
_FILE_BYTES: Final = 2
_ARITHMETIC: Final = 16


def check_raster_cost(data: bytes, header: FilmHeader) -> int:
    """Refuse a file that costs more than the budget, and weigh what it costs.

    Args:
        data: The file.
        header: What it says of itself.

    Returns:
        Pixels of a grey image of 16 bits that costs as much, in CPU time or memory.

    Raises:
        TooManySegments: More JPEG segments or PNG chunks than the budget allows.
        TooManyScans: A JPEG with more scans than the budget allows.
        WorkingMemoryExceeded: Decoding needs more memory than the budget allows.
        UnreadableFilm: A JPEG has no marker where one has to stand.
    """
    pixels = (header.rows or 0) * (header.columns or 0)
    if header.media_type == "image/jpeg":
        check_jpeg_metadata(data)
        scanned = check_scans(data, pixels)
        needed = _jpeg_bytes(data, header, pixels)
        weighed = max(pixels * (_ARITHMETIC if is_arithmetic(data) else 1), scanned // _SCANNED)
    else:
        check_png_chunks(data)
        needed = _png_bytes(data, header, pixels)
        weighed = _png_weight(data, header) * pixels // 2
    if needed > BUDGET.working_bytes:
        raise WorkingMemoryExceeded(
            f"Decoding needs {needed // _MIB} MiB of memory; the limit is "
            f"{BUDGET.working_bytes // _MIB} MiB."
        )
    return max(weighed, needed // _WORKING_BYTES, len(data) // _FILE_BYTES)


def _png_weight(data: bytes, header: FilmHeader) -> int:
    """Bytes of a pixel, as often as they are decoded. An interlaced file takes twice as long."""
    samples, deep = header.samples or 1, header.bits == _DEEP
    weight = max(samples * (2 if deep else 1), 2)
    if deep and samples > 1:
        weight *= 2
    return weight * (2 if data[_INTERLACE] else 1)


def _jpeg_bytes(data: bytes, header: FilmHeader, pixels: int) -> int:
    colour = (header.samples or 1) > 1
    # Pillow holds 1 or 4 bytes for a pixel. The grey image is made beside them, when libjpeg has
    # given its coefficients back.
    held = _PILLOW_COLOUR * pixels if colour else pixels
    return held + max(coefficient_bytes(data, pixels), pixels if colour else 2 * pixels)


def _png_bytes(data: bytes, header: FilmHeader, pixels: int) -> int:
    samples, deep = header.samples or 1, header.bits == _DEEP
    if deep and samples > 1:
        if data[_INTERLACE]:
            # Two images of 4 bytes for a pixel, and the grey image of 16 bits.
            return (2 * _PILLOW_COLOUR + 2) * pixels
        return 3 * pixels
    if deep:
        return 5 * pixels
    return (_PILLOW_COLOUR + 1 if samples > 1 else 3) * pixels
