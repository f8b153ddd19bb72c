"""Two guises of a film, and the fit that asks one answer of both."""

from __future__ import annotations

import io
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hilum_training.recipe import GuiseRecipe
from tests.unit.training.film_folders import texture
from tests.unit.training.striped_films import striped_pack
from tests.unit.training.tiny_recipe import SETTLED, SHIPPED, TINY

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
tf = pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

import keras  # noqa: E402 - after the skip

from hilum_training.films.library import open_library  # noqa: E402 - after the skip
from hilum_training.learning.augmentation import Dice  # noqa: E402 - after the skip
from hilum_training.learning.fit import Fit  # noqa: E402 - after the skip
from hilum_training.learning.guises import guise  # noqa: E402 - after the skip
from hilum_training.learning.settling import (  # noqa: E402 - after the skip
    SettlingFit,
    disagreement,
)
from hilum_training.network import Smoothing, build_network  # noqa: E402 - after the skip
from hilum_training.prediction import predict_logits  # noqa: E402 - after the skip
from hilum_training.weights import (  # noqa: E402 - after the skip
    load_network,
    save_weights,
    weights_path,
)

FILMS = np.stack([texture(seed, 64, 64) for seed in range(6)])[..., np.newaxis]
NOTHING = GuiseRecipe(sharpen=0.0, soften=0.0, noise=0.0, compress=0.0, quality=60)


def in_guise(recipe: GuiseRecipe, seed: int = 1) -> np.ndarray:
    dice = Dice([0, seed], len(FILMS))
    return np.asarray(guise(tf.constant(FILMS, tf.float32), dice, recipe))


def test_a_guise_of_nothing_is_the_film():
    """With every range at zero no pixel changes."""
    assert np.array_equal(in_guise(NOTHING), FILMS)


@pytest.mark.parametrize(
    "change",
    [{"sharpen": 0.4}, {"soften": 0.6}, {"noise": 5.0}, {"compress": 1.0}],
    ids=lambda change: next(iter(change)),
)
def test_each_range_changes_grain_and_moves_nothing(change):
    """Grey levels change, by little; the film stays where it is, in whole numbers."""
    changed = in_guise(replace(NOTHING, **change))
    apart = changed - FILMS
    assert np.abs(apart).max() > 0
    assert np.array_equal(changed, np.round(changed))
    assert changed.min() >= 0
    assert changed.max() <= 255
    # Averaged over 8 x 8 squares, what a reader goes by, hardly anything is left of it.
    squares = apart.reshape(len(FILMS), 8, 8, 8, 8).mean(axis=(2, 4))
    assert np.abs(squares).mean() < 1.0


def test_a_compressed_guise_is_one_that_jpeg_leaves_as_it_is():
    """Compressed once more at such a quality hardly anything changes; the film itself does."""
    low = replace(NOTHING, compress=1.0, quality=20)
    compressed = in_guise(low)
    again = np.stack([recompressed(film[..., 0], 95) for film in compressed])[..., np.newaxis]
    assert np.abs(compressed - FILMS).mean() > 2 * np.abs(again - compressed).mean()


def recompressed(film: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(film.astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream)).astype(np.float32)


def test_disagreement_is_of_answers():
    """A level added to every logit changes no answer of labels that exclude one another."""
    one = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    same = np.concatenate([one, one])
    raised = np.concatenate([one, one + 2.0])
    assert float(disagreement("single_label", same)) == 0
    assert float(disagreement("single_label", raised)) == pytest.approx(0, abs=1e-10)
    assert float(disagreement("multi_label", raised)) == pytest.approx(4.0)
    turned = np.concatenate([one, one + np.array([3.0, 0.0, -3.0], np.float32)])
    assert float(disagreement("single_label", turned)) == pytest.approx(6.0)


def test_a_recipe_without_a_second_fit_has_none():
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="no second fit"):
        SettlingFit(TINY, None, None, None, None)


def test_the_second_fit_changes_nothing_of_the_first():
    """A run that finished its first fit goes on, whatever the second is to be."""
    assert SHIPPED.training == replace(SHIPPED, settle=None).training


def test_settling_brings_the_answers_to_two_guises_together(tmp_path, monkeypatch):
    """After it a film's grain moves its logits less than before, and the labels are still told."""
    pack = striped_pack(tmp_path / "pack", SETTLED.panels[0].names)
    monkeypatch.setenv("HILUM_CXR_DIR", str(pack))
    library = open_library(SETTLED, pack, tmp_path / "cache")
    keras.utils.set_random_seed(SETTLED.seed)
    recipe = replace(
        SETTLED,
        fit=replace(SETTLED.fit, epochs=4),
        settle=replace(
            SETTLED.settle,
            epochs=6,
            agreement=4.0,
            learning_rate=2e-3,
            guise=replace(SETTLED.settle.guise, noise=25.0),
        ),
    )
    fit = Fit(recipe, library.train, library.validation, tmp_path / "first")
    fit.run()
    first = fit.result()
    settling = SettlingFit(recipe, first, library.train, library.validation, tmp_path / "settling")
    settling.run()

    films = library.test.inputs
    noise = np.random.default_rng(1).normal(0, 20, films.shape)
    grainy = np.clip(films + noise, 0, 255).astype(np.uint8)
    panel = recipe.panels[0]

    def moved(network: keras.Model) -> float:
        logits = [predict_logits(network, inputs)[panel.name] for inputs in (films, grainy)]
        spread = logits[0].std()
        return float(np.abs(logits[0] - logits[1]).mean() / spread)

    assert moved(settling.result()) < 0.7 * moved(first)
    truth = library.test.targets(panel).truth
    right = predict_logits(settling.result(), films)[panel.name].argmax(axis=1) == truth
    assert right.mean() > 0.6


def test_the_network_of_a_second_fit_begins_as_the_first_left_it(tmp_path):
    """Before its first step it answers as that one does; not so where it smooths films."""
    pack = striped_pack(tmp_path / "pack", SETTLED.panels[0].names)
    library = open_library(SETTLED, pack, tmp_path / "cache")
    first = build_network(SETTLED)
    films = library.test.inputs[:4]

    def begun(*, smooth: bool) -> dict[str, np.ndarray]:
        recipe = replace(SETTLED, settle=replace(SETTLED.settle, smooth=smooth))
        folder = tmp_path / f"settling-{smooth}"
        fit = SettlingFit(recipe, first, library.train, library.validation, folder)
        return predict_logits(fit.average, films)

    plain, smoothed = begun(smooth=False), begun(smooth=True)
    for name, logits in predict_logits(first, films).items():
        assert np.array_equal(plain[name], logits)
        assert not np.allclose(smoothed[name], logits)


def test_smoothing_spreads_a_pixel_over_its_neighbours():
    """The binomial weights, and nothing of a film of one grey level."""
    film = np.zeros((1, 5, 5, 1), dtype=np.float32)
    film[0, 2, 2] = 16
    spread = np.asarray(Smoothing()(film))[0, ..., 0]
    assert spread[1:4, 1:4].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert spread.sum() == 16


def test_what_is_loaded_smooths_as_what_was_trained(tmp_path):
    """The weights file holds no layer that has none: the recipe says how the graph begins."""
    network = build_network(SETTLED, smooth=True)
    save_weights(network, weights_path(tmp_path, SETTLED.name))
    films = FILMS[:, :32, :32]
    loaded = load_network(tmp_path, SETTLED)
    for name, logits in predict_logits(network, films).items():
        assert np.abs(predict_logits(loaded, films)[name] - logits).max() < 0.01
    rough = load_network(tmp_path, replace(SETTLED, settle=None))
    assert not any(layer.name == "smooth" for layer in rough.layers)
    assert any(layer.name == "smooth" for layer in loaded.layers)
