"""The film reader of the services: costly images are read in processes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom import uid

from hilum.adapters.dicom.dataset import looks_like_dicom
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.reader_pool import ReaderPool

if TYPE_CHECKING:
    from hilum.imaging.film import Film, FilmHeader, FilmLimits

PLAIN_PIXELS: Final = 16_000_000
"""Most pixels of an image that is read in the process itself: in the worst layout about 100 MiB."""

_META_BYTES: Final = 4096
_DEFLATED: Final = str(uid.DeflatedExplicitVRLittleEndian).encode()


class GuardedFilmReader:
    """Implements the port ``FilmReader``.

    Plain images are read in this process: PNG, JPEG and uncompressed DICOM of up to
    ``PLAIN_PIXELS`` pixels. Their cost follows from their header, which the budget bounds. All
    others go to a pool of processes.

    Args:
        limits: Checked before anything is decoded.
    """

    def __init__(self, limits: FilmLimits) -> None:
        self._pool = ReaderPool(limits)
        self._reader = DicomFilmReader(limits, costly=self._read_costly)

    def inspect(self, prefix: bytes, size: int) -> FilmHeader:
        """Look at the first bytes of a file, see ``DicomFilmReader``."""
        if _is_deflated(prefix):
            return self._pool.inspect(prefix, size)
        return self._reader.inspect(prefix, size)

    def read(self, data: bytes, *, for_processing: bool = False) -> Film:
        """Decode a film, see ``DicomFilmReader``.

        Raises:
            Rejected: The file is of no use; the class says why. CpuTimeExceeded,
                WorkingMemoryExceeded and DecoderCrashed come from a process of the pool.
            MemoryError: There is no memory left.
        """
        if _is_deflated(data):
            return self._pool.read(data, large=True, for_processing=for_processing)
        return self._reader.read(data, for_processing=for_processing)

    def _read_costly(
        self, data: bytes, pixels: int, *, encoded: bool, for_processing: bool
    ) -> Film | None:
        large = pixels > PLAIN_PIXELS
        if not large and not encoded:
            return None
        return self._pool.read(data, large=large, for_processing=for_processing)


def _is_deflated(data: bytes) -> bool:
    """Whether a DICOM file names the deflated transfer syntax."""
    return looks_like_dicom(data) and _DEFLATED in data[:_META_BYTES]
