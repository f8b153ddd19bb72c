"""Questions put to changed films, with a network that is known to look in one place."""

from __future__ import annotations

import numpy as np

from hilum_training.evaluation.shortcuts.changed_films import changed_films, without_lungs
from hilum_training.evaluation.shortcuts.lung_fields import LungFields
from hilum_training.films.library import FilmSet
from hilum_training.measures.calibration import Calibration
from tests.unit.training.film_folders import texture
from tests.unit.training.panel_answers import film, panel

INFECTION = panel("infection")
CALIBRATIONS = {"infection": Calibration("temperature", (1.0, 1.0), (0.0, 0.0), (False, False))}
COUNT = 40


def films_with_mark(rows: slice, columns: slice) -> FilmSet:
    """Films whose ill ones have a bright mark in one place."""
    films, inputs = [], []
    for index in range(COUNT):
        pixels = texture(index, 64, 64) // 2
        ill = index % 2 == 1
        if ill:
            pixels[rows, columns] = 255
        films.append(film(index, "kermany", "pneumonia_viral" if ill else "normal"))
        inputs.append(pixels[..., np.newaxis])
    return FilmSet(tuple(films), np.stack(inputs), tuple(f.group for f in films))


def looks_at(rows: slice, columns: slice):
    """A network that says ill where it sees white in one place."""

    def predict(inputs):
        place = inputs[:, rows, columns].mean(axis=(1, 2, 3))
        score = (place > 200).astype(float)
        return {"infection": np.stack([np.zeros_like(score), score], axis=1)}

    return predict


def test_a_network_that_reads_a_corner_is_found_out():
    """With the corners covered it cannot tell, with a coarse film it still can."""
    corner = slice(2, 8), slice(2, 14)
    test, predict = films_with_mark(*corner), looks_at(*corner)
    (row,) = changed_films([INFECTION], CALIBRATIONS, test, predict(test.inputs), predict)[
        "infection"
    ]
    assert row["as_it_is"] == 1.0
    assert row["half_resolution"] == 1.0
    assert row["corners_covered"] == 0.5


def test_a_network_that_reads_the_lungs_needs_the_lungs():
    """All but the lungs covered changes nothing, the lungs covered takes everything."""
    place = slice(24, 40), slice(20, 44)
    test, predict = films_with_mark(*place), looks_at(*place)
    inside = np.zeros((COUNT, 64, 64), dtype=bool)
    inside[:, 16:48, 12:52] = True
    fields = LungFields(np.arange(COUNT), inside)
    found = without_lungs([INFECTION], CALIBRATIONS, test, predict(test.inputs), fields, predict)
    (row,) = found["infection"]
    assert row["films"] == COUNT
    assert row["lungs_only"] > 0.95
    assert row["lungs_covered"] == 0.5
