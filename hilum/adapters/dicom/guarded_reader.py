"""The film reader of the services: costly images are read in processes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum.adapters.dicom.dataset import LeftDeflated
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.reader_pool import ReaderPool

if TYPE_CHECKING:
    from hilum.imaging.film import Film, FilmHeader, FilmLimits

PLAIN_PIXELS: Final = 16_000_000
"""Most pixels of an image that is read in the process itself, one grey sample of 16 bits each.

Others are weighed, see ``CostlyReader``. What is not over it takes at most a second of CPU time and
150 MiB.
"""


class GuardedFilmReader:
    """Implements the port ``FilmReader``.

    Plain images are read in this process: PNG, JPEG and uncompressed DICOM that cost no more than
    ``PLAIN_PIXELS`` pixels. All others go to a pool of processes.

    Args:
        limits: Checked before anything is decoded.
    """

    def __init__(self, limits: FilmLimits) -> None:
        self._pool = ReaderPool(limits)
        self._reader = DicomFilmReader(limits, costly=self._read_costly)

    def inspect(self, prefix: bytes, size: int) -> FilmHeader:
        """Look at the first bytes of a file, see ``DicomFilmReader``."""
        try:
            return self._reader.inspect(prefix, size)
        except LeftDeflated:
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
        except LeftDeflated:
            return self._pool.read(data, large=True, for_processing=for_processing)

    def _read_costly(
        self, data: bytes, pixels: int, *, encoded: int, for_processing: bool
    ) -> Film | None:
        large = pixels > PLAIN_PIXELS
        if not large and not encoded:
            return None
        return self._pool.read(data, large=large, encoded=encoded, for_processing=for_processing)
