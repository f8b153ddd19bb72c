"""A film that displays as its own negative is turned before it is read."""

from __future__ import annotations

import numpy as np

from hilum.application.use_cases.analyse_film import upright
from hilum.imaging.film import Film, FilmHeader
from hilum.imaging.phantom import phantom_film


def test_a_negative_is_turned_and_anupright_film_is_left_alone():
    """Both ways give the same pixels, and the result knows which film was turned."""
    upright = Film(phantom_film(512, 448, seed=3), FilmHeader("image/png"))
    negative = Film(255 - upright.pixels, upright.header)
    kept, kept_turned = upright(upright)
    turned, was_turned = upright(negative)
    assert (kept_turned, was_turned) == (False, True)
    assert np.array_equal(kept.pixels, upright.pixels)
    assert np.array_equal(turned.pixels, upright.pixels)
