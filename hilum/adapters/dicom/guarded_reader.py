"""The film reader of the services: costly images are read in processes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.reader_pool import ReaderPool
from hilum.imaging.budget import PLAIN_PIXELS, NotPlain

if TYPE_CHECKING:
    from hilum.imaging.film import Film, FilmHeader, FilmLimits


class GuardedFilmReader:
    """Implements the port ``FilmReader``.

    Plain images are read in this process: PNG, JPEG and uncompressed DICOM that cost no more than
    so many pixels. All others go to a pool of processes.

    Args:
        limits: Checked before anything is decoded.
        plain_pixels: Pixels of a grey image of 16 bits.
    """

    def __init__(self, limits: FilmLimits, *, plain_pixels: int = PLAIN_PIXELS) -> None:
        self._pool = ReaderPool(limits)
        self._reader = DicomFilmReader(limits, plain_pixels=plain_pixels)

    def inspect(self, prefix: bytes, size: int) -> FilmHeader:
        """Look at the first bytes of a file, see ``DicomFilmReader``."""
        try:
            return self._reader.inspect(prefix, size)
        except NotPlain:
            return self._pool.inspect(prefix, size)

    def read(self, data: bytes, *, for_processing: bool = False) -> Film:
        """Decode a film, see ``DicomFilmReader``.

        Raises:
            Rejected: The file is of no use; the class says why. CpuTimeExceeded,
                WorkingMemoryExceeded and DecoderCrashed come from a process of the pool.
            MemoryError: There is no memory left.
        """
        try:
            return self._reader.read(data, for_processing=for_processing)
        except NotPlain as found:
            large, encoded = found.large, found.encoded
        # Behind the block: the error holds what was parsed, a copy of the pixel data.
        return self._pool.read(data, large=large, encoded=encoded, for_processing=for_processing)
