"""Reading films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hilum.imaging.film import Film, FilmHeader


class FilmReader(Protocol):
    """Reads DICOM, PNG and JPEG films; holds the limits."""

    def inspect(self, prefix: bytes, size: int) -> FilmHeader:
        """Look at the first bytes of a file, cheaply and without decoding pixels.

        Args:
            prefix: The file's first bytes, up to :data:`INSPECTED_BYTES`.
            size: The whole file's size in bytes; an upper bound of it where more follows than
                ``prefix`` holds, because the file is still on its way.

        Raises:
            Rejected: One of its leaves; the file can be refused at the door.
        """
        ...

    def read(self, data: bytes, *, for_processing: bool = False) -> Film:
        """Decode a whole file, rows and columns as they are stored.

        Args:
            data: The file.
            for_processing: Accept raw detector values.

        Raises:
            ForProcessing: The file holds raw detector values, which were not to be accepted.
            Rejected: Another of its leaves.
            MemoryError: There is no memory left; not the film's fault.
        """
        ...


INSPECTED_BYTES = 256 * 1024
"""How much of a file :meth:`FilmReader.inspect` wants to see."""
