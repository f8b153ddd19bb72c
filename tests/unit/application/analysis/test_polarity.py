"""A film that displays as its own negative is turned before it is read."""

from __future__ import annotations

import numpy as np

from hilum.application.analysis.normalise import View, with_bright_bones
from hilum.imaging.film import Film, FilmHeader
from hilum.imaging.phantom import phantom_film


def test_a_negative_is_turned_and_an_upright_film_is_left_alone():
    """Both ways give the same pixels, and the result knows which film was turned."""
    film = Film(phantom_film(512, 448, seed=3), FilmHeader("image/png"))
    negative = Film(255 - film.pixels, film.header)
    kept, inverted = with_bright_bones(View(film)), with_bright_bones(View(negative))
    assert (kept.inverted, inverted.inverted) == (False, True)
    assert np.array_equal(kept.film.pixels, film.pixels)
    assert np.array_equal(inverted.film.pixels, film.pixels)
