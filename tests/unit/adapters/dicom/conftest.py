"""A reader with the default limits."""

from __future__ import annotations

import pytest

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.imaging.film import FilmLimits


@pytest.fixture(scope="session")
def reader() -> DicomFilmReader:
    return DicomFilmReader(FilmLimits())
