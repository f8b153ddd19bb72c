"""A run is taken up only on the films and labels that it learnt from."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from hilum_training.films.library import FilmSet
from tests.unit.training.film_folders import texture
from tests.unit.training.panel_answers import film
from tests.unit.training.tiny_recipe import SETTLED, TINY

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

from hilum_training.learning.fit import Fit
from hilum_training.learning.settling import SettlingFit

RECIPE = replace(TINY, panels=TINY.panels[:1], fit=replace(TINY.fit, epochs=1))
LABELS = TINY.panels[0].names


def films(count: int) -> FilmSet:
    """Films of one hospital, its labels in turn."""
    found = tuple(film(index, "kermany", LABELS[index % 4]) for index in range(count))
    inputs = np.stack([texture(index, 32, 32) for index in range(count)])[..., np.newaxis]
    return FilmSet(found, inputs, tuple(item.group for item in found))


TRAIN, VALIDATION = films(16), films(8)


def relabelled(part: FilmSet) -> FilmSet:
    """One label is corrected."""
    mended = replace(part.films[0], label="pneumonia_viral")
    return replace(part, films=(mended, *part.films[1:]))


def other_pixels(part: FilmSet) -> FilmSet:
    """One film is another picture under its old name."""
    inputs = part.inputs.copy()
    inputs[0] = 255 - inputs[0]
    return replace(part, inputs=inputs)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Fits the given films in one folder; says how many epochs were trained for it."""
    trained = []
    epoch = Fit._epoch  # noqa: SLF001 - what a run that is taken up does not do

    def counted(self, number):
        trained.append(number)
        return epoch(self, number)

    monkeypatch.setattr(Fit, "_epoch", counted)

    def fitted(train: FilmSet, validation: FilmSet) -> int:
        before = len(trained)
        Fit(RECIPE, train, validation, tmp_path / "run").run()
        return len(trained) - before

    return fitted


def test_a_finished_run_is_taken_up_and_says_so(run, capsys):
    """Twice the same command trains once, and the second tells why it is done at once."""
    assert run(TRAIN, VALIDATION) == 1
    assert "finished before" not in capsys.readouterr().out
    assert run(films(16), films(8)) == 0
    assert capsys.readouterr().out.count("finished before") == 1


@pytest.mark.parametrize(
    ("train", "validation"),
    [
        (relabelled(TRAIN), VALIDATION),
        (other_pixels(TRAIN), VALIDATION),
        (TRAIN.first(15), VALIDATION),
        (TRAIN, relabelled(VALIDATION)),
    ],
    ids=["a label", "a film's pixels", "another limit", "a validation label"],
)
def test_a_run_on_other_films_trains_afresh(run, train, validation):
    """One corrected label is enough: the old weights learnt the wrong one."""
    assert run(TRAIN, VALIDATION) == 1
    assert run(train, validation) == 1


def test_the_second_fit_is_of_its_films_too(tmp_path):
    """Its state of other labels is not taken up either."""
    recipe = replace(SETTLED, panels=SETTLED.panels[:1])
    first = Fit(recipe, TRAIN, VALIDATION, tmp_path / "first").average

    def finished(train: FilmSet) -> list[dict[str, float]]:
        return SettlingFit(recipe, first, train, VALIDATION, tmp_path / "settling").run()

    log = finished(TRAIN)
    assert finished(TRAIN) == log
    assert finished(relabelled(TRAIN)) != log
