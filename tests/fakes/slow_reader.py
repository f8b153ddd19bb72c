"""A reader's process of half the speed: it decodes each image twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.adapters.dicom import reader_process
from hilum.adapters.dicom.film_reader import DicomFilmReader

if TYPE_CHECKING:
    from hilum.imaging.film import Film


class SlowReader(DicomFilmReader):
    def read(self, data: bytes, *, for_processing: bool = False) -> Film:
        super().read(data, for_processing=for_processing)
        return super().read(data, for_processing=for_processing)


if __name__ == "__main__":
    reader_process.DicomFilmReader = SlowReader  # type: ignore[misc]
    reader_process.main()
