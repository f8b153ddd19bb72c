"""A film that displays as its own negative is turned before it is read."""

from __future__ import annotations

import numpy as np

from hilum.application.reading import upright
from hilum.imaging.film import Film, FilmHeader
from hilum.imaging.phantom import phantom_film


def test_a_negative_is_turned_and_an_upright_film_is_left_alone():
    """Both ways give the same pixels, and the result knows which film was turned."""
    film = Film(phantom_film(512, 448, seed=3), FilmHeader("image/png"))
    negative = Film(255 - film.pixels, film.header)
    kept, kept_turned = upright(film)
    turned, was_turned = upright(negative)
    assert (kept_turned, was_turned) == (False, True)
    assert np.array_equal(kept.pixels, film.pixels)
    assert np.array_equal(turned.pixels, film.pixels)
