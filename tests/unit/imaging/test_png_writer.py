"""The PNG writer, read back by another implementation."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hilum.imaging.png_writer import encode_png
from tests.unit.imaging.pictures import waves


@settings(deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([0, 3, 4]), st.integers(0, 2**32 - 1)
)
def test_pillow_reads_back_the_very_pixels(rows, columns, samples, seed):
    """Grey, RGB and RGBA of any size come back exactly."""
    shape = (rows, columns, samples) if samples else (rows, columns)
    pixels = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        image.load()
        assert image.mode == {0: "L", 3: "RGB", 4: "RGBA"}[samples]
        assert np.array_equal(np.asarray(image), pixels)


def test_a_view_that_is_not_contiguous_is_written_right():
    """Slices and transposes are written as they look."""
    pixels = waves(60, 80).T[::2, ::-1]
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_smooth_pictures_get_smaller():
    """A smooth film takes less than half of its raw size."""
    pixels = waves(400, 400)
    assert len(encode_png(pixels)) < pixels.size / 2


@pytest.mark.parametrize("shape", [(4, 4, 2), (0, 4), (4, 0, 3)])
def test_other_shapes_are_refused(shape):
    """Two samples, or no pixels, are a programmer's error."""
    with pytest.raises(ValueError, match="no PNG"):
        encode_png(np.zeros(shape, dtype=np.uint8))
