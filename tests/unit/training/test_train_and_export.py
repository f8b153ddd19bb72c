"""Train, evaluate and export a tiny panel, on films that the test makes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hilum.domain.model import ModelManifest
from hilum_training.recipe import read_recipe
from tests.unit.training.film_folders import FilmFolder, texture

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
tf = pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

import keras  # noqa: E402 - after the skip

from hilum_training.evaluation.evaluate import evaluate  # noqa: E402 - after the skip
from hilum_training.export.graph import ServedGraph, export_onnx  # noqa: E402 - after the skip
from hilum_training.export.parity import ParityLost, check_parity  # noqa: E402 - after the skip
from hilum_training.export.publish import publish  # noqa: E402 - after the skip
from hilum_training.films.library import open_library  # noqa: E402 - after the skip
from hilum_training.learning.augmentation import augment  # noqa: E402 - after the skip
from hilum_training.learning.fit import Fit  # noqa: E402 - after the skip
from hilum_training.learning.objective import candidate_loss  # noqa: E402 - after the skip
from hilum_training.network import build_network  # noqa: E402 - after the skip
from hilum_training.prediction import predict_logits  # noqa: E402 - after the skip
from hilum_training.weights import WeightsMissing, weights_path  # noqa: E402 - after the skip

SHIPPED = read_recipe(Path(__file__).resolve().parents[3] / "training/recipes/pneumonia.toml")
TINY = replace(
    SHIPPED,
    film=replace(SHIPPED.film, size=32),
    network=replace(SHIPPED.network, stem=4, widths=(8, 8, 8), blocks=(0, 0, 1), dropout=0.0),
    fit=replace(SHIPPED.fit, epochs=2, batch=8, ema=0.5),
)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Forty patients of each label, each label of its own brightness pattern."""
    pack = FilmFolder(tmp_path / "pack")
    for index, label in enumerate(TINY.data.labels):
        for patient in range(40):
            pixels = texture(100 * index + patient).astype(int) // 2
            pixels[24 * index : 24 * index + 24] += 120
            pack.add(f"{label}-{patient}", np.clip(pixels, 0, 255).astype(np.uint8), label)
    monkeypatch.setenv("HILUM_CXR_DIR", str(pack.close()))
    return open_library(TINY, tmp_path / "pack", tmp_path / "cache")


def trained(library, folder: Path) -> Fit:
    """A finished run from the recipe's seed."""
    keras.utils.set_random_seed(TINY.seed)
    fit = Fit(TINY, library.train, library.validation, folder)
    fit.run()
    return fit


def test_the_path_from_films_to_the_model_repository(library, tmp_path):
    """Trained, measured and exported: the folder is complete, and a repetition changes nothing."""
    trained(library, tmp_path / "run")
    weights, report, repository = (tmp_path / name for name in ("weights", "report", "repository"))
    weights.mkdir()
    (tmp_path / "run/best.keras").rename(weights_path(weights, TINY.name))
    evaluate(TINY, library, weights, report)
    assert json.loads((report / "metrics.json").read_text())["accuracy"]["value"] >= 0
    assert {path.suffix for path in report.iterdir()} == {".json", ".svg"}

    def exported() -> dict[str, bytes]:
        folder = publish(TINY, weights=weights, report=report, repository=repository)
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    first = exported()
    assert sorted(first) == [
        "1/model.onnx",
        "1/model.py",
        "MODEL_CARD.md",
        "config.pbtxt",
        "labels.txt",
        "manifest.json",
    ]
    manifest = ModelManifest.from_json(first["manifest.json"].decode())
    assert manifest.output("heatmaps").shape == (2, 2, 4)
    evaluate(TINY, library, weights, report)
    assert exported() == first


def test_an_export_without_a_report_of_these_weights_is_refused(library, tmp_path):
    """Figures of other weights are never published with a graph."""
    trained(library, tmp_path / "run")
    (tmp_path / "run/best.keras").rename(weights_path(tmp_path, TINY.name))
    (tmp_path / "metrics.json").write_text(json.dumps({"weights": "of another run"}))
    with pytest.raises(WeightsMissing, match="other weights"):
        publish(TINY, weights=tmp_path, report=tmp_path, repository=tmp_path / "repository")
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
    assert np.allclose(
        predict_logits(resumed.average, films), predict_logits(unbroken.average, films), atol=1e-3
    )


def test_a_run_of_another_recipe_is_not_taken_up(library, tmp_path):
    """A changed recipe trains afresh instead of loading weights that do not belong to it."""
    trained(library, tmp_path / "run")
    other = replace(TINY, network=replace(TINY.network, widths=(8, 8, 16)))
    log = Fit(other, library.train, library.validation, tmp_path / "run").run()
    assert [row["epoch"] for row in log] == [1, 2]


def test_training_learns_what_the_films_hold(library, tmp_path):
    """Eight epochs on separable films lower the loss well below guessing."""
    recipe = replace(TINY, fit=replace(TINY.fit, epochs=8, learning_rate=0.01))
    keras.utils.set_random_seed(1)
    log = Fit(recipe, library.train, library.validation, tmp_path).run()
    assert log[-1]["loss"] < 0.8 * np.log(4) < log[0]["loss"]


def test_parity_fails_when_the_graph_is_not_the_network(tmp_path):
    """A graph of other weights does not pass for this one."""
    export_onnx(ServedGraph(build_network(TINY), 1.0), 32, tmp_path / "model.onnx")
    with pytest.raises(ParityLost):
        check_parity(ServedGraph(build_network(TINY), 1.0), tmp_path / "model.onnx", 32)


def test_the_graph_divides_logits_by_the_temperature(tmp_path):
    """The served probabilities are the calibrated ones."""
    network = build_network(TINY)
    graph = ServedGraph(network, 2.0)
    films = np.stack([texture(seed, 32, 32) for seed in range(3)])[..., np.newaxis]
    logits = predict_logits(network, films) / 2.0
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.allclose(np.asarray(graph(films)["probabilities"]), expected, atol=1e-6)


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
