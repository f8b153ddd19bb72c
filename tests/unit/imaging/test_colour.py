"""Grey in RGB, tints, marks and photographs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hilum.domain.errors import ColourFilm
from hilum.imaging.colour import LARGEST_OFF_TINT, grey_of, grey_of_array, off_tint_share
from tests.unit.imaging.pictures import colour_photograph, waves

GREY = waves(300, 280)
RGB = np.stack([GREY] * 3, axis=-1)

TINTS = {
    "none": RGB,
    "blue light box": RGB * [0.6, 0.8, 1.0],
    "sepia": RGB * [1.0, 0.85, 0.6],
    "cyan base": RGB * [0.7, 0.6, 0.5] + [40, 90, 120],
    "uneven light": RGB * np.linspace([0.9, 1, 1.1], [1.1, 1, 0.9], 280)[np.newaxis],
}


def picture(values):
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("name", TINTS)
def test_a_tinted_film_is_a_film(name):
    """However strong a tint is, one brightness has one colour: the luminance is the film."""
    image = picture(TINTS[name])
    assert off_tint_share(image) < 0.03
    grey = np.asarray(grey_of(image)).astype(float)
    assert np.corrcoef(grey.ravel(), GREY.ravel())[0, 1] > 0.98


def test_marks_in_colour_are_tolerated():
    """Yellow letters and a red arrow do not make a photograph."""
    marked = RGB.copy()
    marked[20:40, 20:120], marked[250:256, 40:200] = [255, 255, 0], [255, 0, 0]
    assert 0 < off_tint_share(picture(marked)) < LARGEST_OFF_TINT
    assert np.asarray(grey_of(picture(marked))).shape == GREY.shape


def test_a_colour_map_over_most_of_a_film_is_refused():
    """A film under a rainbow map of another program is not the film any more."""
    y, x = np.mgrid[:300, :280]
    hue = np.stack([np.sin(x / 60), np.sin(y / 70 + 2), np.sin((x + y) / 80 + 4)], axis=-1)
    with pytest.raises(ColourFilm):
        grey_of(picture(0.5 * RGB + 60 * (hue + 1)))


def test_a_photograph_is_refused():
    """Real colour is told with its share."""
    photograph = colour_photograph()
    assert off_tint_share(picture(photograph)) > 2 * LARGEST_OFF_TINT
    with pytest.raises(ColourFilm, match=r"\d+% of the picture"):
        grey_of_array(photograph)


def test_equal_samples_keep_their_value():
    """Red, green and blue alike come back as exactly that grey."""
    assert np.array_equal(grey_of_array(RGB), GREY)
