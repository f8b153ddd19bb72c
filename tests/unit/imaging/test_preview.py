"""Previews."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from hilum.imaging.preview import decode_preview, encode_preview, preview_pixels
from tests.unit.imaging.pictures import waves


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((2000, 1000), (1024, 512)), ((1500, 3000), (512, 1024)), ((500, 300), (500, 300))],
)
def test_the_long_side_is_bounded_and_nothing_is_enlarged(shape, expected):
    """Large films shrink to 1024 on the long side, aspect kept; small ones stay."""
    assert preview_pixels(waves(*shape)).shape == expected


@pytest.mark.parametrize(
    ("shape", "aspect", "expected"),
    [
        ((160, 72), 0.5, (160, 144)),
        ((160, 72), 2.0, (320, 72)),
        ((2000, 1000), 0.5, (1024, 1024)),
        ((160, 72), 1.0, (160, 72)),
    ],
)
def test_pixels_that_are_not_square_are_shown_in_their_proportions(shape, aspect, expected):
    """The longer side of a pixel is kept, within the bound of the long side."""
    assert preview_pixels(waves(*shape), aspect=aspect).shape == expected


def test_a_preview_shows_the_mean_of_what_it_covers():
    """Box filter: halving averages 2 x 2 pixels."""
    pixels = waves(200, 160)
    small = preview_pixels(pixels, 100)
    assert np.abs(small - pixels.reshape(100, 2, 80, 2).mean(axis=(1, 3))).max() <= 1


def test_the_file_is_grey_jpeg_and_reads_back():
    """The stored preview is an 8-bit grey JPEG that differs by a grey level or two."""
    pixels = preview_pixels(waves(300, 200), 150)
    stored = encode_preview(pixels)
    with Image.open(io.BytesIO(stored)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "L", (100, 150))
    difference = np.abs(decode_preview(stored).astype(int) - pixels)
    assert difference.max() <= 12
    assert difference.mean() < 2
