"""The probe finds a source that the features give away, and none where they do not."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the training environment: make test-training")

from hilum_training.evaluation.shortcuts.source_probe import (
    MOST_PER_SOURCE,
    probe_films,
    probe_source,
    thumbnails,
)
from hilum_training.films.library import FilmSet
from tests.unit.training.film_folders import texture
from tests.unit.training.panel_answers import film

SOURCES = ("kermany", "nih14", "shenzhen")


def film_set(count: int, start: int = 0) -> FilmSet:
    films = tuple(film(start + i, SOURCES[i % 3], "normal") for i in range(count))
    return FilmSet(films, np.zeros((count, 8, 8, 1), np.uint8), tuple(f.group for f in films))


def features(part: FilmSet, seed: int, *, telling: bool) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(len(part.films), 12)).astype(np.float32)
    for row, each in enumerate(part.films):
        noise[row, SOURCES.index(each.source)] += 6 if telling else 0
    return noise


@pytest.mark.parametrize(("telling", "low", "high"), [(True, 0.97, 1.0), (False, 0.15, 0.52)])
def test_the_probe_reads_what_the_features_hold(telling, low, high):
    """A direction for each source is read off, noise gives no more than guessing."""
    train, test = film_set(180), film_set(90, start=1000)
    found = probe_source(
        train, test, (features(train, 0, telling=telling), features(test, 1, telling=telling))
    )
    assert low <= found["accuracy"]["value"] <= high
    assert found["guessing"] == pytest.approx(1 / 3, abs=1e-4)


def test_one_source_leaves_nothing_to_tell():
    """No choice, no figure."""
    one = film_set(30).where(lambda each: each.source == "nih14")
    assert probe_source(one, one, (np.zeros((10, 3)), np.zeros((10, 3)))) is None


def test_no_source_teaches_the_probe_with_more_than_its_share():
    """A large source is thinned out evenly, a small one is taken whole."""
    films = [film(i, "kermany", "normal") for i in range(1000)]
    films += [film(1000 + i, "cohen", "normal") for i in range(9)]
    picked = probe_films(films)
    assert sum(films[at].source == "kermany" for at in picked) == MOST_PER_SOURCE
    assert sum(films[at].source == "cohen" for at in picked) == 9


def test_thumbnails_do_not_depend_on_exposure():
    """Brightness and contrast are no hint: each thumbnail is standardised."""
    inputs = np.stack([texture(seed, 64, 64) for seed in range(2)])[..., np.newaxis]
    darker = (inputs // 2).astype(np.uint8)
    assert thumbnails(inputs).shape == (2, 256)
    assert thumbnails(darker) == pytest.approx(thumbnails(inputs), abs=0.05)
