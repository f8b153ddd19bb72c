"""The version of the reader tells pixels apart that different readers make of the same file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.imaging.film import READER_VERSION, FilmLimits
from hilum.imaging.phantom import phantom_film
from tests.unit.adapters.dicom import films
from tests.unit.imaging.pictures import png

if TYPE_CHECKING:
    from collections.abc import Iterator

PIXELS: Final = {
    1: "0565b2245d3777565077cbdfd7bc80d0de13016b88a2e0b0d5b4e14026692943",
}
"""Digest of what each reader makes of the images below. Lossless ones: no library differs."""


def images() -> Iterator[bytes]:
    """Images that use windows, rescaling, polarity, depth and colour."""
    chest = phantom_film(288, 256, seed=3)
    yield png(chest)
    yield png(chest.astype(np.uint16) * 257)
    deep = films.scene(bits=12)
    variants: list[dict[str, Any]] = [
        {},
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"WindowCenter": 1000, "WindowWidth": 900},
        {"WindowCenter": 1000, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
        {"RescaleSlope": 2, "RescaleIntercept": -1024},
        {"PixelPaddingValue": 0},
        {"PatientOrientation": ["R", "F"]},
        {"PixelAspectRatio": [2, 1]},
    ]
    for attributes in variants:
        yield films.film(deep, bits=12, **attributes)
    yield films.film(np.dstack([chest] * 3), bits=8)


def test_the_pixels_are_those_of_this_version():
    """If this fails by design, raise READER_VERSION and add the digest under the new number.

    Images that were read before are then analysed again when they are sent again.
    """
    reader = DicomFilmReader(FilmLimits())
    digest = hashlib.sha256()
    for content in images():
        pixels = reader.read(content).pixels
        digest.update(repr(pixels.shape).encode())
        digest.update(pixels.tobytes())
    assert digest.hexdigest() == PIXELS[READER_VERSION]
    assert max(PIXELS) == READER_VERSION
