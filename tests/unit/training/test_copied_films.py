"""How far answers move between a film and its copies, with networks that are known to."""

from __future__ import annotations

import numpy as np
import pytest

from hilum_training.evaluation import copied_films as module
from hilum_training.evaluation.copied_films import COPIES, copied_films
from hilum_training.films.library import FilmSet
from hilum_training.measures.calibration import Calibration
from tests.unit.training.film_folders import texture
from tests.unit.training.panel_answers import film, panel

INFECTION = panel("infection")
CALIBRATIONS = {"infection": Calibration("temperature", (1.0, 1.0), (0.0, 0.0), (False, False))}
FILMS = FilmSet(
    tuple(film(index, "kermany", "normal") for index in range(6)),
    np.stack([texture(seed, 64, 64)[..., np.newaxis] for seed in range(6)]),
    tuple(map(str, range(6))),
)


def steady(inputs):
    """Goes by the mean grey of the film."""
    score = inputs.mean(axis=(1, 2, 3)) / 255
    return {"infection": np.stack([np.zeros_like(score), score], axis=1)}


def grainy(inputs):
    """Goes by single pixels."""
    score = inputs[:, 10, 10, 0].astype(float) - inputs[:, 11, 11, 0]
    return {"infection": np.stack([np.zeros_like(score), score], axis=1)}


@pytest.mark.parametrize("name", sorted(COPIES))
def test_a_copy_is_nearly_its_film(name):
    """Shape and type stay, pixels move by a few grey levels, and the film is not touched."""
    before = FILMS.inputs.copy()
    copy = COPIES[name](FILMS.inputs)
    assert (copy.shape, copy.dtype) == (before.shape, np.uint8)
    apart = np.abs(copy.astype(int) - before)
    assert 0 < apart.mean() < 6
    assert np.array_equal(FILMS.inputs, before)


def test_a_network_that_goes_by_single_pixels_is_found_out():
    """Its answers move with the grain, those by the whole film do not."""
    largest = {}
    for network in (steady, grainy):
        rows = copied_films([INFECTION], CALIBRATIONS, FILMS, network(FILMS.inputs), network)[
            "infection"
        ]
        assert [row["copy"] for row in rows] == list(COPIES)
        assert all(row["median"] <= row["of 95 % at most"] <= row["largest"] for row in rows)
        largest[network] = max(row["largest"] for row in rows)
    assert largest[steady] < 0.01
    assert largest[grainy] > 0.1


def test_no_more_films_are_copied_than_asked(monkeypatch):
    """A large test split is sampled evenly."""
    monkeypatch.setattr(module, "FILMS", 3)
    logits = steady(FILMS.inputs)
    rows = copied_films([INFECTION], CALIBRATIONS, FILMS, logits, steady)["infection"]
    assert {row["films"] for row in rows} == {3}
