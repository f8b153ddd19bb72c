"""The model in the repository is what its manifest, configuration and card say."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from hilum.domain.model import ModelManifest
from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.export.golden_films import golden_films
from hilum_training.export.model_card import render_card
from hilum_training.export.triton_config import render_config
from hilum_training.films.pack import PackMissing, pack_folder, read_film, select_films
from hilum_training.recipe import read_recipe

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "model_repository/pneumonia"
RECIPE = read_recipe(ROOT / "training/recipes/pneumonia.toml")
REPORT = ROOT / "training/reports/pneumonia"


@pytest.fixture(scope="module")
def manifest() -> ModelManifest:
    """The shipped manifest."""
    return ModelManifest.from_json((MODEL / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answers(manifest):
    """Outputs for the golden films, by meaning."""
    session = onnxruntime.InferenceSession(
        str(MODEL / manifest.onnx), providers=["CPUExecutionProvider"]
    )
    specifications = {spec.name: spec for spec in manifest.outputs}
    assert {output.name for output in session.get_outputs()} == set(specifications)
    films = golden_films(manifest.film_input.shape[0])
    values = session.run(list(specifications), {manifest.film_input.name: films})
    return dict(zip([spec.meaning for spec in specifications.values()], values, strict=True))


def test_every_artefact_is_the_one_in_the_manifest(manifest):
    """Digest and size of each file agree, and the graph stays under 10 MB."""
    for artefact in manifest.artefacts:
        content = (MODEL / artefact.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == artefact.sha256, artefact.path
        assert len(content) == artefact.size_bytes, artefact.path
    assert (MODEL / manifest.onnx).stat().st_size < 10_000_000


def test_the_graph_takes_and_gives_what_the_manifest_promises(manifest, answers):
    """Names, shapes and types of the tensors are those that serving relies on."""
    for spec in manifest.outputs:
        value = answers[spec.meaning]
        assert value.shape == (len(golden_films(8)), *spec.shape)
        assert value.dtype == np.dtype(spec.dtype)
    assert manifest.film_input.dtype == "uint8"
    assert manifest.preprocessing in PREPROCESSING


def test_probabilities_are_probabilities_and_tell_films_apart(answers):
    """Each row sums to one, and unlike films get unlike answers."""
    probabilities = answers["probabilities"]
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert probabilities.min() >= 0
    assert np.ptp(probabilities, axis=0).max() > 0.05


def test_heatmaps_explain_the_probabilities_exactly(manifest, answers):
    """The mean of a class's map plus a bias is its logit: one bias fits every film.

    log p = (mean + bias) / T - c, with c the film's own; centring over the classes takes c away,
    and what is left of bias / T must then be the same for all films.
    """
    logits = answers["heatmaps"].astype(np.float64).mean(axis=(1, 2))
    temperature = manifest.calibration["temperature"]
    rest = np.log(answers["probabilities"].astype(np.float64)) - logits / temperature
    bias = rest - rest.mean(axis=1, keepdims=True)
    assert np.allclose(bias, bias[0], atol=2e-3)


def test_a_film_is_read_the_same_alone_and_in_a_batch(manifest):
    """Dynamic batching changes no answer beyond rounding."""
    session = onnxruntime.InferenceSession(
        str(MODEL / manifest.onnx), providers=["CPUExecutionProvider"]
    )
    films = golden_films(manifest.film_input.shape[0])
    together = session.run(None, {"film": films})[0]
    alone = np.concatenate([session.run(None, {"film": film[np.newaxis]})[0] for film in films])
    assert np.allclose(together, alone, atol=1e-5)


def test_configuration_and_code_are_those_of_the_exporter(manifest):
    """Nobody edited the served folder by hand."""
    assert (MODEL / "config.pbtxt").read_text(encoding="utf-8") == render_config(manifest)
    served = (ROOT / "training/hilum_training/export/served_model.py").read_bytes()
    assert (MODEL / "1/model.py").read_bytes() == served
    labels = (MODEL / "labels.txt").read_text(encoding="utf-8").split()
    assert labels == [label.name for label in manifest.labels] == list(RECIPE.data.labels)


def test_the_card_states_the_figures_of_the_report(manifest):
    """Card, manifest and report are of one measurement."""
    metrics = json.loads((REPORT / "metrics.json").read_text(encoding="utf-8"))
    template = (ROOT / "training/recipes/pneumonia.card.md").read_text(encoding="utf-8")
    card = (MODEL / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card == render_card(template, manifest, metrics)
    assert manifest.version == metrics["version"] == RECIPE.version
    assert manifest.calibration["temperature"] == metrics["temperature"]
    assert "not for diagnosis" in card
    for point in manifest.operating_points:
        assert point.threshold == metrics["labels"][point.label]["threshold"]


def test_labels_are_coded_and_the_unsupported_ones_are_weak(manifest):
    """Every label has a SNOMED CT code; those that the films do not carry say so."""
    codes = {label.name: label.code.value for label in manifest.labels if label.code}
    assert codes == {
        "normal": "17621005",
        "pneumonia_bacterial": "53084003",
        "pneumonia_viral": "75570004",
        "covid19": "840539006",
    }
    assert [label.name for label in manifest.labels if not label.abnormal] == ["normal"]
    assert all(label.weak == label.abnormal for label in manifest.labels)


def test_real_films_of_children_are_told_apart(manifest):
    """On pack films of one hospital, ill ones score higher than normal ones."""
    try:
        pack = pack_folder()
    except PackMissing as error:
        pytest.skip(str(error))
    session = onnxruntime.InferenceSession(
        str(MODEL / manifest.onnx), providers=["CPUExecutionProvider"]
    )
    size = manifest.film_input.shape[0]
    films = [film for film in select_films(pack, RECIPE.data) if film.source == "kermany"]
    means = []
    for label in ("normal", "pneumonia_bacterial"):
        some = [film for film in films if film.label == label][::60]
        prepare = PREPROCESSING[manifest.preprocessing]
        inputs = np.stack([prepare(read_film(pack / film.file), size, size) for film in some])
        means.append(1 - session.run(["probabilities"], {"film": inputs})[0][:, 0].mean())
    assert means[1] > means[0] + 0.5


def test_a_film_of_megapixels_and_its_small_copy_are_read_alike(manifest):
    """Training saw copies of 256 pixels; what is served are films as published."""
    try:
        pack = pack_folder()
    except PackMissing as error:
        pytest.skip(str(error))
    with (pack / "native.csv").open(encoding="utf-8", newline="") as stream:
        pairs = [(row["file"], row["image"]) for row in csv.DictReader(stream)]
    session = onnxruntime.InferenceSession(
        str(MODEL / manifest.onnx), providers=["CPUExecutionProvider"]
    )
    size, prepare = manifest.film_input.shape[0], PREPROCESSING[manifest.preprocessing]
    native, copies = (
        session.run(
            ["probabilities"],
            {"film": np.stack([prepare(read_film(pack / name), size, size) for name in names])},
        )[0]
        for names in zip(*pairs, strict=True)
    )
    differences = np.abs(native - copies).max(axis=1)
    assert np.median(differences) < 0.02
    assert differences.max() < 0.1
