"""One network from two: the fit that brings it to the mean of both."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from hilum_training.recipe import DistilRecipe, check_recipe
from hilum_training.recipe_errors import InvalidRecipe
from tests.unit.training.striped_films import striped_pack
from tests.unit.training.tiny_recipe import SETTLED, SHIPPED, TINY

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

import keras

from hilum_training.films.library import open_library
from hilum_training.learning.distilling import (
    DistillingFit,
    apart_from,
)
from hilum_training.learning.whole_training import train_network
from hilum_training.network import build_network
from hilum_training.prediction import predict_logits

DISTIL = DistilRecipe("other", epochs=6, batch=8, learning_rate=5e-3, share=1.0)
RECIPE = replace(SETTLED, distil=DISTIL, settle=replace(SETTLED.settle, agreement=0.0))


@pytest.fixture
def library(tmp_path):
    pack = striped_pack(tmp_path / "pack", SETTLED.panels[0].names)
    return open_library(SETTLED, pack, tmp_path / "cache")


@pytest.mark.parametrize("kind", ["single_label", "multi_label"])
def test_the_same_answer_is_nothing_apart(kind):
    """Any other is; a level added to every logit changes no answer of labels that exclude."""
    said = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    assert float(apart_from(kind, said, said)) == pytest.approx(0, abs=1e-6)
    assert float(apart_from(kind, -said, said)) > 0.1
    raised = float(apart_from(kind, said + 2, said))
    assert raised == pytest.approx(0, abs=1e-6) if kind == "single_label" else raised > 0.1


def test_a_network_comes_nearer_to_the_mean_of_two(library, tmp_path):
    """On images that it did not learn from, and without labels; the teachers stay as they are."""
    teachers = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        teachers.append(build_network(SETTLED, smooth=SETTLED.smooth))
    held = [[np.array(value) for value in teacher.get_weights()] for teacher in teachers]
    images = library.test.inputs
    one, other = (predict_logits(teacher, images) for teacher in teachers)
    parts = (library.train, library.validation)
    fit = DistillingFit(RECIPE, teachers, "other", *parts, tmp_path / "distilling")
    fit.run()
    now = predict_logits(fit.result(), images)

    def apart(answers: dict[str, np.ndarray]) -> float:
        mean = {name: (one[name] + other[name]) / 2 for name in one}
        return sum(
            float(apart_from(panel.kind, answers[panel.name], mean[panel.name]))
            for panel in RECIPE.panels
        )

    assert apart(now) < 0.3 * apart(one)
    for teacher, before in zip(teachers, held, strict=True):
        assert all(map(np.array_equal, teacher.get_weights(), before))


def test_a_recipe_that_distils_trains_its_rival_too(library, tmp_path):
    """Each with its log; a second run finds both finished and gives the same weights."""
    recipe = replace(RECIPE, distil=replace(DISTIL, epochs=1))
    rival = replace(RECIPE, name="other", seed=3, distil=None)

    def trained() -> list[np.ndarray]:
        keras.utils.set_random_seed(recipe.seed)
        folders = (tmp_path / "runs", tmp_path / "reports")
        return train_network(
            recipe, library.train, library.validation, *folders, rival
        ).get_weights()

    first = trained()
    reports = tmp_path / "reports"
    logs = {path.relative_to(reports).as_posix() for path in reports.rglob("*.csv")}
    assert logs == {
        *(f"tiny/{name}.csv" for name in ("epochs", "settling", "distilling")),
        *(f"rivals/other/{name}.csv" for name in ("epochs", "settling")),
    }
    assert all(map(np.array_equal, trained(), first))


def test_a_recipe_that_distils_needs_a_rival(library, tmp_path):
    """It says so, not after an hour of training."""
    with pytest.raises(ValueError, match="one is missing"):
        train_network(RECIPE, library.train, library.validation, tmp_path, tmp_path)
    assert not list(tmp_path.glob("tiny"))
    with pytest.raises(ValueError, match="no fit to the mean"):
        DistillingFit(SETTLED, [], "", library.train, library.validation, tmp_path)


def test_distilling_goes_on_from_settling():
    """A recipe without the second fit has no third."""
    with pytest.raises(InvalidRecipe, match="goes on from"):
        check_recipe(replace(TINY, distil=DISTIL))


def test_distilling_changes_nothing_of_the_first_fit():
    """A run that finished its first fit goes on, whatever comes after."""
    assert SHIPPED.training == replace(SHIPPED, distil=None).training
