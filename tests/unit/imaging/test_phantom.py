"""The phantom film."""

from __future__ import annotations

import numpy as np
import pytest

from hilum.imaging.film import FilmLimits
from hilum.imaging.phantom import phantom_film, phantom_png
from hilum.imaging.raster import decode_raster

FILM = phantom_film(512, 480, seed=1)


def region(film, top, bottom, left, right):
    """Mean grey of a part, given in shares of the film."""
    rows, columns = film.shape
    part = film[int(top * rows) : int(bottom * rows), int(left * columns) : int(right * columns)]
    return float(part.mean())


def test_the_same_seed_gives_the_same_film():
    """Everything random comes from the seed."""
    assert np.array_equal(FILM, phantom_film(512, 480, seed=1))
    assert not np.array_equal(FILM, phantom_film(512, 480, seed=2))


@pytest.mark.parametrize("shape", [(256, 256), (300, 640)])
def test_any_size_and_shape(shape):
    """The phantom fills the size asked for."""
    assert phantom_film(*shape, seed=3).shape == shape


def test_it_is_built_like_a_chest():
    """Dark lungs on both sides of a bright middle, a brighter belly, dark corners, heart left."""
    right_lung = region(FILM, 0.35, 0.5, 0.2, 0.33)
    left_lung = region(FILM, 0.35, 0.5, 0.67, 0.8)
    spine = region(FILM, 0.35, 0.5, 0.47, 0.53)
    belly = region(FILM, 0.85, 0.92, 0.2, 0.4)
    corner = region(FILM, 0.1, 0.15, 0.0, 0.05)
    assert max(right_lung, left_lung) + 60 < min(spine, belly)
    assert corner < 40
    beside_right = region(FILM, 0.62, 0.7, 0.3, 0.38)
    beside_left = region(FILM, 0.62, 0.7, 0.62, 0.7)
    assert beside_left > beside_right + 30


def test_the_label_is_burned_in_at_the_top_and_at_the_foot():
    """Pure white letters stand in both bands, on films of any seed."""
    for seed in (1, 7):
        film = phantom_film(512, 512, seed)
        assert (film[:40] == 255).sum() > 300
        assert (film[-40:] == 255).sum() > 300


def test_a_phantom_too_small_to_label_is_refused():
    """Below 256 pixels the label could not be read."""
    with pytest.raises(ValueError, match="256"):
        phantom_film(255, 512, seed=1)


def test_the_file_reads_as_a_film():
    """The PNG goes through the reader with every limit at its default."""
    film = decode_raster(phantom_png(320, 300, seed=4), FilmLimits())
    assert np.array_equal(film.pixels, phantom_film(320, 300, seed=4))
