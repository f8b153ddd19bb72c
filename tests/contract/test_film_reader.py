"""What every film reader does: a fake that reads graymaps, and the one that reads films."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum.application.ports.film_reader import INSPECTED_BYTES
from hilum.domain.errors import (
    FileTooLarge,
    FilmTooSmall,
    Rejected,
    TooManyPixels,
    TruncatedFilm,
    UnsupportedFormat,
)
from hilum.imaging.film import FilmLimits
from tests.fakes.film_reader import GraymapReader, graymap

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hilum.application.ports.film_reader import FilmReader

ROWS, COLUMNS = 300, 260


@dataclass(frozen=True)
class Kind:
    """A reader, and what makes a file for it."""

    reader: Callable[[FilmLimits], FilmReader]
    encode: Callable[[NDArray[np.uint8]], bytes]


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A film as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


@pytest.fixture(
    params=[Kind(GraymapReader, graymap), Kind(DicomFilmReader, png)], ids=["fake", "films"]
)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each reader."""
    made: Kind = request.param
    return made


def noise(rows: int = ROWS, columns: int = COLUMNS) -> NDArray[np.uint8]:
    """Grey noise."""
    return np.random.default_rng(0).integers(0, 256, (rows, columns), dtype=np.uint8)


def test_reads_what_was_encoded(kind):
    """Pixels come back in display orientation, uint8 [H, W]."""
    film = kind.reader(FilmLimits()).read(kind.encode(noise()))
    np.testing.assert_array_equal(film.pixels, noise())
    assert film.pixels.dtype == np.uint8
    assert (film.header.rows, film.header.columns) == (ROWS, COLUMNS)


def test_a_header_needs_only_the_beginning(kind):
    """The first bytes say what the film is; the pixels may still be on their way."""
    data = kind.encode(noise(700, 600))
    header = kind.reader(FilmLimits()).inspect(data[:INSPECTED_BYTES], len(data))
    assert (header.rows, header.columns, header.bits, header.samples) == (700, 600, 8, 1)


def test_a_dicom_film_is_told_by_its_identifiers():
    """The header of a DICOM film holds what the store and the PACS know it by."""
    data = phantom_dicom(512, 512)
    header = DicomFilmReader(FilmLimits()).inspect(data[:INSPECTED_BYTES], len(data))
    assert header.media_type == "application/dicom"
    assert header.sop_instance_uid
    assert header.transfer_syntax_uid


@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"hello", b"%PDF-1.7\n" + b"x" * 500])
def test_other_files_are_rejected(kind, data):
    """What is no film ends with a reason, at the door and in the worker."""
    reader = kind.reader(FilmLimits())
    with pytest.raises(UnsupportedFormat):
        reader.inspect(data, len(data))
    with pytest.raises(Rejected):
        reader.read(data)


def test_a_cut_file_is_rejected(kind):
    """A film without its last pixels is not read as if they were black."""
    data = kind.encode(noise())
    with pytest.raises(TruncatedFilm):
        kind.reader(FilmLimits()).read(data[: len(data) // 2])


def test_limits_are_kept(kind):
    """A film over a limit is rejected with the limit in the text."""
    data = kind.encode(noise())
    few = kind.reader(FilmLimits(max_pixels=ROWS * COLUMNS - 1))
    with pytest.raises(TooManyPixels, match=str(ROWS * COLUMNS - 1)):
        few.inspect(data, len(data))
    with pytest.raises(TooManyPixels):
        few.read(data)
    with pytest.raises(FileTooLarge, match=str(len(data) - 1)):
        kind.reader(FilmLimits(max_bytes=len(data) - 1)).read(data)


def test_a_thumbnail_is_rejected(kind):
    """A few pixels hold no findings."""
    data = kind.encode(noise(40, 300))
    reader = kind.reader(FilmLimits())
    with pytest.raises(FilmTooSmall):
        reader.inspect(data, len(data))
    with pytest.raises(FilmTooSmall):
        reader.read(data)
