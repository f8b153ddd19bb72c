"""Windows: which one counts, how it is written, and what it does."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from hilum.domain.errors import BlankRendering
from tests.unit.adapters.dicom import films
from tests.unit.adapters.dicom.recast import in_window

PIXELS = films.scene(bits=12)


@pytest.fixture(scope="module")
def pixels():
    return PIXELS


@pytest.mark.parametrize(
    ("centres", "widths"), [([2047.5, 100], [4095, 10]), ([100, 2047.5], [0, 4095])]
)
def test_the_first_window_that_is_usable_counts(centres, widths, reader, pixels):
    """Several windows are alternatives, and a width of 0 is no window."""
    film = films.film(
        pixels,
        bits=12,
        WindowCenter=centres,
        WindowWidth=widths,
        VOILUTFunction="LINEAR_EXACT",
    )
    assert np.array_equal(reader.read(film).pixels, in_window(pixels))


@pytest.mark.parametrize(("centre", "width"), [(2000, 0), (2000, 0.5), (2000, -50)])
def test_a_forbidden_window_counts_as_absent(centre, width, reader, pixels):
    """A window width that the standard forbids falls back to percentiles."""
    with_it = reader.read(films.film(pixels, bits=12, WindowCenter=centre, WindowWidth=width))
    without = reader.read(films.film(pixels, bits=12))
    assert np.array_equal(with_it.pixels, without.pixels)


def test_a_window_that_misses_every_value_is_a_blank_rendering(reader):
    """A film that its window shows all white or all black is refused, with the window."""
    for centre in (60_000, -60_000):
        with pytest.raises(BlankRendering, match=f"centre {centre}"):
            reader.read(films.film(PIXELS, bits=12, WindowCenter=centre, WindowWidth=100))


def test_a_window_that_misses_every_value_gives_way_to_the_next(reader):
    """Windows are alternatives, and one that shows nothing is not usable."""
    film = films.film(
        PIXELS,
        bits=12,
        WindowCenter=[60_000, 2047.5],
        WindowWidth=[100, 4095],
        VOILUTFunction=["LINEAR_EXACT", "LINEAR_EXACT"],
    )
    assert np.array_equal(reader.read(film).pixels, in_window(PIXELS))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_each_voi_function_is_followed(function, reader):
    """LINEAR, LINEAR_EXACT and SIGMOID give the values of the standard's formulas."""
    pixels = np.tile(np.arange(64, 160, dtype=np.uint16), (70, 1))
    film = films.film(pixels, bits=12, WindowCenter=100, WindowWidth=41, VOILUTFunction=function)
    x = pixels[0].astype(float)
    expected = {
        "LINEAR": np.clip((x - 99.5) / 40 + 0.5, 0, 1),
        "LINEAR_EXACT": np.clip((x - 100) / 41 + 0.5, 0, 1),
        "SIGMOID": 1 / (1 + np.exp(-4 * (x - 100) / 41)),
    }[function]
    assert np.array_equal(reader.read(film).pixels[0], np.floor(expected * 255 + 0.5))


def text(keyword, value):
    """An element of VR DS with any text."""
    tag = {"WindowCenter": 0x1050, "WindowWidth": 0x1051, "Intercept": 0x1052, "Slope": 0x1053}
    padded = value.encode() + b" " * (len(value) % 2)
    return struct.pack("<HH2sH", 0x28, tag[keyword], b"DS", len(padded)) + padded


@pytest.mark.parametrize("alternatives", ["", "\\100,5"])
def test_decimal_commas_are_points(alternatives, reader, pixels):
    """A window and rescale values written with a decimal comma are those with a point."""
    texts = {
        "WindowCenter": "500,5" + alternatives,
        "WindowWidth": "801,0" + alternatives,
        "Intercept": "-100,25",
        "Slope": "0,5",
    }
    data = films.film(pixels, bits=12)
    at = data.index(b"\xe0\x7f\x10\x00")
    data = data[:at] + b"".join(text(*pair) for pair in texts.items()) + data[at:]
    unit = np.clip((pixels * 0.5 - 100.25 - 500.0) / 800.0 + 0.5, 0, 1)
    assert np.array_equal(reader.read(data).pixels, np.floor(unit * 255 + 0.5))


@pytest.mark.parametrize(("centre", "width"), [(0.3, 0.4), (0.5, 1.0), (0.5, 1.2)])
@pytest.mark.parametrize("slope", [1 / 4096, -1 / 4096])
def test_a_narrow_window_over_a_fine_scale(slope, centre, width, reader, pixels):
    """A window of many stored values is one, though LINEAR would take a whole unit off it."""
    centre = centre if slope > 0 else -centre
    film = films.film(
        pixels,
        bits=12,
        RescaleSlope=slope,
        RescaleIntercept=0,
        WindowCenter=centre,
        WindowWidth=width,
    )
    unit = np.clip((pixels * slope - centre) / width + 0.5, 0, 1)
    assert np.abs(reader.read(film).pixels - unit * 255).max() <= 0.51
