"""Train, measure and export two tiny panels, on films that the test makes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hilum.domain.model import ModelManifest
from tests.unit.training.film_folders import texture
from tests.unit.training.striped_films import striped_pack
from tests.unit.training.tiny_recipe import SHIPPED, TINY

if TYPE_CHECKING:
    from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
tf = pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

import keras  # noqa: E402 - after the skip

from hilum_training.evaluation.evaluate import evaluate  # noqa: E402 - after the skip
from hilum_training.export.export_recipe import export_recipe  # noqa: E402 - after the skip
from hilum_training.export.graph import Scaling, ServedGraph  # noqa: E402 - after the skip
from hilum_training.films.library import open_library  # noqa: E402 - after the skip
from hilum_training.learning.augmentation import augment  # noqa: E402 - after the skip
from hilum_training.learning.fit import Fit  # noqa: E402 - after the skip
from hilum_training.learning.objective import (  # noqa: E402 - after the skip
    candidate_loss,
    panel_loss,
)
from hilum_training.network import build_network  # noqa: E402 - after the skip
from hilum_training.population.probe import probe_path  # noqa: E402 - after the skip
from hilum_training.prediction import predict_logits  # noqa: E402 - after the skip
from hilum_training.weights import (  # noqa: E402 - after the skip
    WeightsMissing,
    load_network,
    save_weights,
    weights_path,
)

LABELS = TINY.panels[0].names


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Forty patients of each label, each label of its own brightness pattern."""
    pack = striped_pack(tmp_path / "pack", LABELS)
    monkeypatch.setenv("HILUM_CXR_DIR", str(pack))
    return open_library(TINY, pack, tmp_path / "cache")


def trained(library, folder: Path) -> Fit:
    """A finished run from the recipe's seed."""
    keras.utils.set_random_seed(TINY.seed)
    fit = Fit(TINY, library.train, library.validation, folder)
    fit.run()
    return fit


def test_the_path_from_films_to_the_model_repository(library, tmp_path):
    """Trained, measured and exported: the folder is complete, and a repetition changes nothing."""
    fit = trained(library, tmp_path / "run")
    weights, reports, repository = (tmp_path / name for name in ("weights", "reports", "models"))
    save_weights(fit.result(), weights_path(weights, TINY.name))
    recipe = tmp_path / "ours.toml"
    (tmp_path / "ours.card.md").write_text("# $name $version\n$pneumonia_accuracy\n")

    def measured_and_exported() -> dict[str, bytes]:
        probe = probe_path(weights, TINY.name)
        evaluate(TINY, library, load_network(weights, TINY), reports, probe=probe)
        report = reports / TINY.name
        done = export_recipe(TINY, recipe, weights=weights, report=report, repository=repository)
        files = [path for path in done.folder.rglob("*") if path.is_file()]
        return {path.relative_to(done.folder).as_posix(): path.read_bytes() for path in files}

    first = measured_and_exported()
    assert sorted(first) == [
        "1/model.onnx",
        "1/model.py",
        "MODEL_CARD.md",
        "config.pbtxt",
        "labels.txt",
        "manifest.json",
    ]
    manifest = ModelManifest.from_json(first["manifest.json"].decode())
    assert [panel.name for panel in manifest.panels] == ["pneumonia", "pathology"]
    assert manifest.output("heatmaps", "pneumonia").shape == (2, 2, 4)
    assert measured_and_exported() == first


def test_an_export_without_a_report_of_these_weights_is_refused(library, tmp_path):
    """Figures of other weights are never published with a graph."""
    save_weights(build_network(TINY), weights_path(tmp_path, TINY.name))
    (tmp_path / "metrics.json").write_text(json.dumps({"weights": "of another run"}))
    with pytest.raises(WeightsMissing, match="other weights"):
        export_recipe(
            TINY,
            tmp_path / "tiny.toml",
            weights=tmp_path,
            report=tmp_path,
            repository=tmp_path / "repository",
        )
    assert not (tmp_path / "repository").exists()


def test_an_interrupted_run_goes_on_as_if_it_had_not_stopped(library, tmp_path, monkeypatch):
    """The weights after one epoch, a kill and a restart are those of an unbroken run."""
    unbroken = trained(library, tmp_path / "unbroken")
    validate = Fit._validate  # noqa: SLF001 - where the kill is to come
    calls = []

    def killed_in_the_second(self):
        calls.append(self)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return validate(self)

    with monkeypatch.context() as patch:
        patch.setattr(Fit, "_validate", killed_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            trained(library, tmp_path / "broken")
    keras.utils.set_random_seed(999)
    resumed = Fit(TINY, library.train, library.validation, tmp_path / "broken")
    log = resumed.run()
    assert [row["epoch"] for row in log] == [1, 2]
    films = library.test.inputs
    answers = predict_logits(resumed.average, films)
    for panel, logits in predict_logits(unbroken.average, films).items():
        assert np.allclose(answers[panel], logits, atol=1e-3), panel


def test_a_run_of_another_recipe_is_not_taken_up(library, tmp_path):
    """A changed recipe trains afresh instead of loading weights that do not belong to it."""
    trained(library, tmp_path / "run")
    other = replace(TINY, network=replace(TINY.network, widths=(4, 8, 8, 16)))
    log = Fit(other, library.train, library.validation, tmp_path / "run").run()
    assert [row["epoch"] for row in log] == [1, 2]


def test_a_run_ends_when_validation_gets_no_better(library, tmp_path, monkeypatch):
    """With a patience of two, the run ends two epochs after the best one, and keeps that one."""
    losses = iter([3.0, 1.0, 2.0, 2.5, 0.5])
    monkeypatch.setattr(Fit, "_validate", lambda _: {"validation_loss": next(losses)})
    recipe = replace(TINY, fit=replace(TINY.fit, epochs=5, patience=2, keep="best"))
    train, validation = library.train.first(16), library.validation.first(8)
    fit = Fit(recipe, train, validation, tmp_path)
    assert [row["epoch"] for row in fit.run()] == [1, 2, 3, 4]
    best = keras.models.load_model(tmp_path / "best.keras", compile=False).get_weights()
    assert not all(map(np.array_equal, fit.average.get_weights(), best))
    last = fit.average.get_weights()
    mean = replace(recipe, fit=replace(recipe.fit, keep="mean"))
    between = Fit(mean, train, validation, tmp_path)
    between.run()
    kept = between.result().get_weights()
    for one, other, found in zip(last, best, kept, strict=True):
        assert np.allclose((one + other) / 2, found, atol=1e-5)
    assert all(map(np.array_equal, fit.result().get_weights(), best))
    assert Fit(recipe, train, validation, tmp_path).run() == fit.run()


def test_training_learns_what_the_films_hold(library, tmp_path):
    """Eight epochs on separable films lower the loss well below guessing."""
    recipe = replace(
        TINY,
        fit=replace(TINY.fit, epochs=8, learning_rate=0.01),
        panels=TINY.panels[:1],
    )
    keras.utils.set_random_seed(1)
    log = Fit(recipe, library.train, library.validation, tmp_path).run()
    assert log[-1]["loss"] < 0.8 * np.log(4) < log[0]["loss"]


def test_the_graph_applies_each_panels_calibration():
    """Served probabilities are the calibrated ones: softmax of one panel, sigmoids of the other."""
    network = build_network(TINY)
    scalings = {
        "pneumonia": Scaling("single_label", (0.5,) * 4, (0.0,) * 4),
        "pathology": Scaling("multi_label", (2.0,) * 14, (-1.0,) * 14),
    }
    films = np.stack([texture(seed, 32, 32) for seed in range(3)])[..., np.newaxis]
    logits, answer = predict_logits(network, films), ServedGraph(network, scalings)(films)
    halved = np.exp(logits["pneumonia"] / 2)
    softmax = halved / halved.sum(axis=1, keepdims=True)
    sigmoids = 1 / (1 + np.exp(1 - 2 * logits["pathology"]))
    assert np.allclose(np.asarray(answer["pneumonia_probabilities"]), softmax, atol=1e-5)
    assert np.allclose(np.asarray(answer["pathology_probabilities"]), sigmoids, atol=1e-5)


def test_a_class_map_averages_to_its_logit():
    """The heatmap is exact: its mean and the bias of the label give the uncalibrated logit."""
    network = build_network(TINY)
    head = network.get_layer("head_pneumonia")
    head.bias.assign([0.1, 0.2, 0.3, 0.4])
    scalings = {"pneumonia": Scaling("single_label", (1.0,) * 4, (0.0,) * 4)}
    films = texture(1, 32, 32)[np.newaxis, ..., np.newaxis]
    maps = np.asarray(ServedGraph(network, scalings)(films)["pneumonia_heatmaps"])
    logits = predict_logits(network, films)["pneumonia"]
    assert np.allclose(maps.mean(axis=(1, 2)) + np.asarray(head.bias), logits, atol=1e-5)


def test_a_gate_gives_no_heatmaps():
    """A gate's graph answers with probabilities alone."""
    network = build_network(TINY)
    graph = ServedGraph(network, {"pneumonia": Scaling("gate", (1.0,) * 4, (0.0,) * 4)})
    assert list(graph(np.zeros((1, 32, 32, 1), np.uint8))) == ["pneumonia_probabilities"]


def test_weights_come_back_nearly_as_they_were_and_the_file_is_stable(tmp_path):
    """Half-precision kernels, exact biases, and the same bytes for the same weights."""
    network = build_network(TINY)
    save_weights(network, tmp_path / "tiny.npz")
    again = load_network(tmp_path, TINY)
    for kept, read in zip(network.get_weights(), again.get_weights(), strict=True):
        assert np.allclose(kept, read, rtol=1e-3, atol=1e-6)
    save_weights(network, tmp_path / "second.npz")
    assert (tmp_path / "tiny.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_weights_of_another_network_are_refused(tmp_path):
    """A file whose layers differ is named, and so is one that is not there."""
    save_weights(build_network(TINY), tmp_path / "tiny.npz")
    other = replace(TINY, network=replace(TINY.network, widths=(4, 8, 8, 16)))
    with pytest.raises(WeightsMissing, match="does not fit"):
        load_network(tmp_path, other)
    with pytest.raises(WeightsMissing, match="train the recipe first"):
        load_network(tmp_path, replace(TINY, name="never trained"))


def test_augmentation_keeps_shape_and_range_and_repeats_with_its_seed():
    """Same seed, same films; another seed, other films; grey levels stay in 0..255."""
    films = np.stack([texture(seed) for seed in range(4)])[..., np.newaxis]
    first = augment(films, np.array([0, 1]), SHIPPED.augment).numpy()
    assert first.shape == films.shape
    assert 0 <= first.min() < first.max() <= 255
    assert np.array_equal(first, augment(films, np.array([0, 1]), SHIPPED.augment).numpy())
    assert not np.array_equal(first, augment(films, np.array([0, 2]), SHIPPED.augment).numpy())


def test_augmentation_with_empty_ranges_changes_nothing():
    """Every change is bounded by its range: with ranges of zero the film comes back."""
    films = np.stack([texture(seed) for seed in range(2)])[..., np.newaxis]
    still = type(SHIPPED.augment)(*[0.0] * 9)
    assert np.allclose(augment(films, np.array([3, 4]), still).numpy(), films, atol=0.01)


def test_a_set_of_allowed_labels_costs_what_their_sum_leaves():
    """The loss of {bacterial, viral} is -log of their sum; of one label it is cross-entropy."""
    logits = np.log(np.array([[0.1, 0.2, 0.3, 0.4]], dtype=np.float32))
    both = candidate_loss(logits, np.array([[0, 1, 1, 0]], dtype=np.float32), 0.0)
    one = candidate_loss(logits, np.array([[0, 1, 0, 0]], dtype=np.float32), 0.0)
    assert np.allclose(both, -np.log(0.5), atol=1e-5)
    assert np.allclose(one, -np.log(0.2), atol=1e-5)


def test_a_film_that_a_panel_does_not_know_teaches_it_nothing():
    """The loss of a panel is over the films that it knows; with none it is zero."""
    logits = np.array([[2.0, 0.0], [0.0, 5.0]], dtype=np.float32)
    values = np.array([[1, 0], [0, 0]], dtype=np.float32)
    known = np.array([1, 0], dtype=np.float32)
    alone = candidate_loss(logits[:1], values[:1], 0.0)
    assert np.allclose(panel_loss("single_label", logits, values, known, 0.0), alone, atol=1e-6)
    assert float(panel_loss("multi_label", logits, values, known * 0, 0.0)) == 0.0


def test_the_frozen_stages_of_a_trunk_do_not_learn(library, tmp_path):
    """What a recipe freezes keeps its weights and its batch statistics."""
    plan = replace(TINY.network, architecture="efficientnet-lite0", frozen_stages=1, stages=2)
    recipe = replace(TINY, network=plan, fit=replace(TINY.fit, epochs=1, ema=0.0))
    fit = Fit(recipe, library.train.first(16), library.validation.first(8), tmp_path)
    before = {layer.name: layer.get_weights() for layer in fit.average.layers}
    fit.run()
    after = {layer.name: layer.get_weights() for layer in fit.average.layers}

    def moved(name: str) -> bool:
        return not all(np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))

    assert not any(moved(name) for name in ("stem_conv", "stem_norm", "block0_depthwise_norm"))
    assert moved("block1_expand")
    assert moved("block2_project_norm")
