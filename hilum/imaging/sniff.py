"""A cheap look at the first bytes of a file: what it is, and whether it is worth decoding."""

from __future__ import annotations

from typing import Final

from hilum.domain.errors import (
    CompressionRatioTooHigh,
    FileTooLarge,
    FilmTooSmall,
    TooManyPixels,
    UnreadableFilm,
    UnsupportedFormat,
)
from hilum.imaging.film import FilmHeader, FilmLimits
from hilum.imaging.jpeg_header import JPEG_SIGNATURE, jpeg_frame
from hilum.imaging.png_header import PNG_SIGNATURE, png_header

SMALLEST_SIDE: Final = 64
"""Pixels. Below this no rib can be told from its neighbour, so no finding can be true."""

_BITS_OF_JPEG_FILES: Final = 8


def inspect(prefix: bytes, size: int) -> FilmHeader:
    """Read what a PNG or JPEG file says of itself from its first bytes.

    Args:
        prefix: The first bytes of the file; 64 KiB is plenty for all but unusual JPEG files.
        size: Size of the whole file, in bytes.

    Returns:
        The header. Rows, columns, bits and samples are None where a JPEG file carries so much
        metadata that the prefix ends before the frame header.

    Raises:
        UnsupportedFormat: Neither PNG nor JPEG.
        TruncatedFilm: The whole file is here and ends inside its header.
        UnreadableFilm: The header is damaged, or claims what no decoder here reads.
        MultiFrameFilm: An animated PNG.
    """
    if prefix.startswith(PNG_SIGNATURE):
        return png_header(prefix)
    if prefix.startswith(JPEG_SIGNATURE):
        return _jpeg_header(prefix, complete=len(prefix) >= size)
    if not prefix:
        raise UnsupportedFormat("The file is empty.")
    raise UnsupportedFormat("The file is neither DICOM, PNG nor JPEG.")


def _jpeg_header(prefix: bytes, *, complete: bool) -> FilmHeader:
    frame = jpeg_frame(prefix, complete=complete)
    if frame is None:
        return FilmHeader("image/jpeg")
    if frame.precision != _BITS_OF_JPEG_FILES:
        raise UnreadableFilm(
            f"A JPEG file with {frame.precision} bits per sample; 8 are read outside DICOM."
        )
    return FilmHeader(
        "image/jpeg",
        rows=frame.rows,
        columns=frame.columns,
        bits=frame.precision,
        samples=frame.components,
    )


def check_limits(header: FilmHeader, size: int, limits: FilmLimits) -> None:
    """Compare what a header promises with the limits, before anything is decoded.

    Values that the header does not hold are not checked.

    Args:
        header: What the file says of itself.
        size: Bytes that hold the encoded pixels; the size of the file where that is not known.
        limits: The limits.

    Raises:
        FileTooLarge: ``size`` is over ``max_bytes``.
        TooManyPixels: rows x columns is over ``max_pixels``.
        CompressionRatioTooHigh: Decoded bytes / ``size`` is over ``max_compression_ratio``.
    """
    if size > limits.max_bytes:
        raise FileTooLarge(f"The file has {size} bytes; the limit is {limits.max_bytes} bytes.")
    if header.rows is None or header.columns is None:
        return
    pixels = header.rows * header.columns
    if pixels > limits.max_pixels:
        raise TooManyPixels(
            f"The film has {header.rows} x {header.columns} pixels; "
            f"the limit is {limits.max_pixels} pixels."
        )
    if header.bits is None or header.samples is None:
        return
    decoded = pixels * header.samples * ((header.bits + 7) // 8)
    if decoded > limits.max_compression_ratio * size:
        raise CompressionRatioTooHigh(
            f"The film would grow from {size} to {decoded} bytes; "
            f"the limit is a ratio of {limits.max_compression_ratio:g}."
        )


def check_smallest_side(header: FilmHeader) -> None:
    """Refuse a film on which nothing can be seen.

    Raises:
        FilmTooSmall: A side is shorter than ``SMALLEST_SIDE`` pixels.
    """
    if header.rows is None or header.columns is None:
        return
    if min(header.rows, header.columns) < SMALLEST_SIDE:
        raise FilmTooSmall(
            f"The film has {header.rows} x {header.columns} pixels; "
            f"the shorter side needs at least {SMALLEST_SIDE}."
        )
