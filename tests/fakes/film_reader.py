"""A film reader for portable graymaps: real pixels, no decoder."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum.domain.errors import ForProcessing, TruncatedFilm, UnsupportedFormat
from hilum.imaging.film import Film, FilmHeader, FilmLimits
from hilum.imaging.sniff import check_limits, check_smallest_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER = re.compile(rb"P5 (\d+) (\d+) 255\n")


def graymap(pixels: NDArray[np.uint8]) -> bytes:
    """A film, uint8 [H, W], as a binary portable graymap (the netpbm format P5)."""
    rows, columns = pixels.shape
    return f"P5 {columns} {rows} 255\n".encode() + pixels.tobytes()


class GraymapReader:
    """Fake of :class:`hilum.application.ports.film_reader.FilmReader`.

    Attributes:
        states: Fields of the header that every film then has.
    """

    def __init__(self, limits: FilmLimits | None = None) -> None:
        self._limits = limits or FilmLimits()
        self.states: dict[str, Any] = {}

    def inspect(self, prefix: bytes, size: int) -> FilmHeader:
        header, _ = self._header(prefix)
        check_limits(header, min(size, self._limits.max_bytes), self._limits)
        check_smallest_side(header)
        return header

    def read(self, data: bytes, *, for_processing: bool = False) -> Film:
        header, start = self._header(data)
        check_limits(header, len(data), self._limits)
        check_smallest_side(header)
        if header.for_processing and not for_processing:
            raise ForProcessing("raw detector values")
        rows, columns = header.rows or 0, header.columns or 0
        if len(data) - start < rows * columns:
            raise TruncatedFilm("the file ends before its pixels do")
        pixels = np.frombuffer(data, np.uint8, rows * columns, start).reshape(rows, columns)
        return Film(pixels=pixels, header=header, notes=header.notes)

    def _header(self, data: bytes) -> tuple[FilmHeader, int]:
        match = _HEADER.match(data)
        if match is None:
            raise UnsupportedFormat("not a portable graymap")
        columns, rows = int(match[1]), int(match[2])
        header = FilmHeader("image/x-portable-graymap", rows, columns, bits=8, samples=1)
        return replace(header, **self.states), match.end()
