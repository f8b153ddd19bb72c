"""The models in the repository: whole, true to their manifests, and of their recipes' reports."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from hilum.domain.model import PanelKind
from hilum.imaging.golden_films import golden_films
from hilum.imaging.preprocessing import PREPROCESSING
from hilum.serving.installed import read_installed, verify_artefacts
from hilum.serving.repository import labels_text, write_ensemble
from hilum.serving.target import Target
from hilum.serving.triton_config import render_config
from hilum_training.export.cards import card_of, later_fits_of
from hilum_training.export.model_card import render_card
from hilum_training.export.other_reports import ASKED, LOCALISATION, with_other_reports
from hilum_training.films.pack import PackMissing, pack_films, pack_folder, read_film
from hilum_training.recipe import read_recipe
from hilum_training.segmentation.recipe import is_segmentation, read_segmentation_recipe

ROOT = Path(__file__).resolve().parents[3]
REPOSITORY = ROOT / "model_repository"
INSTALLED = read_installed(REPOSITORY)
MODELS = [model.newest for model in INSTALLED]
READ = [panel for model in MODELS for panel in model.panels]
LARGEST_SET = 25_000_000


@pytest.fixture(params=MODELS, ids=lambda model: model.name)
def model(request):
    return request.param


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = REPOSITORY / model.name / model.onnx
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def answers(model, films):
    names = [output.name for output in model.outputs]
    return dict(zip(names, session(model).run(names, {"film": films}), strict=True))


def probabilities(panel_name, films):
    """What one panel says of films."""
    model = next(model for model in MODELS if model.panel(panel_name))
    return answers(model, films)[model.output("probabilities", panel_name).name]


def inputs(pack, names):
    size = MODELS[0].film_input.shape[0]
    prepare = PREPROCESSING[MODELS[0].preprocessing]
    return np.stack([prepare(read_film(pack / name), size, size) for name in names])


@pytest.fixture(scope="module")
def pack():
    try:
        return pack_folder()
    except PackMissing as error:
        pytest.skip(str(error))


def report(model):
    path = ROOT / "training/reports" / model.name / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_reading_of_the_original_apps_is_there_behind_a_gate():
    """Seven readings: the gate, four panels, the lungs; boxes come from the panels' maps."""
    kinds = {panel.name: panel.kind for panel in READ}
    assert kinds == {
        "gate": PanelKind.GATE,
        "pneumonia": PanelKind.SINGLE_LABEL,
        "infection": PanelKind.SINGLE_LABEL,
        "tuberculosis": PanelKind.SINGLE_LABEL,
        "pathology": PanelKind.MULTI_LABEL,
        "lungs": PanelKind.STRUCTURES,
    }
    pathology = next(panel for panel in READ if panel.name == "pathology")
    assert len(pathology.labels) == 14


def test_every_artefact_is_the_one_in_its_manifest():
    """Digest and size of each file agree, and all graphs together are small enough for git."""
    for installed in INSTALLED:
        verify_artefacts(installed)
    sizes = [path.stat().st_size for path in REPOSITORY.glob("*/*/model.onnx")]
    assert sum(sizes) < LARGEST_SET


def test_the_graph_takes_and_gives_what_the_manifest_promises(model):
    """Names, shapes and types of the tensors are those that serving relies on."""
    films = golden_films(model.film_input.shape[0])
    found = answers(model, films)
    for spec in model.outputs:
        assert found[spec.name].shape == (len(films), *spec.shape)
        assert found[spec.name].dtype == np.dtype(spec.dtype)
        assert np.ptp(found[spec.name].astype(float), axis=0).max() > 0, "tells films apart"
    assert model.preprocessing in PREPROCESSING


def test_probabilities_are_probabilities(model):
    """All lie in 0..1, and those of a panel with one answer add up to one."""
    found = answers(model, golden_films(model.film_input.shape[0]))
    for panel in model.panels:
        if panel.kind is PanelKind.STRUCTURES:
            continue
        values = found[model.output("probabilities", panel.name).name]
        assert ((values >= 0) & (values <= 1)).all()
        if panel.kind is not PanelKind.MULTI_LABEL:
            assert np.allclose(values.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "panel",
    [panel for panel in READ if panel.kind in {PanelKind.SINGLE_LABEL, PanelKind.MULTI_LABEL}],
    ids=lambda panel: panel.name,
)
def test_heatmaps_explain_the_probabilities_exactly(panel):
    """A map's mean plus the class's bias is its logit before calibration: one bias for all films.

    Single label: log p = scale * (mean + bias) + shift - c, with c the film's own, which centring
    over the classes takes away. Multi-label: the log odds have no c.
    """
    model = next(model for model in MODELS if model.panel(panel.name))
    found = answers(model, golden_films(model.film_input.shape[0]))
    means = found[model.output("heatmaps", panel.name).name].astype(float).mean(axis=(1, 2))
    chances = found[model.output("probabilities", panel.name).name].astype(float)
    scale, shift = (np.array(panel.calibration[key]) for key in ("scale", "shift"))
    if panel.kind is PanelKind.MULTI_LABEL:
        sure = (chances > 1e-6) & (chances < 1 - 1e-6)
        bias = (np.log(chances) - np.log1p(-chances) - shift) / scale - means
        for label in range(chances.shape[1]):
            told = bias[sure[:, label], label]
            assert len(told) < 2 or np.ptp(told) < 2e-2
        return
    rest = np.log(np.maximum(chances, 1e-30)) - scale * means - shift
    rest = rest[(chances > 1e-20).all(axis=1)]
    centred = rest - rest.mean(axis=1, keepdims=True)
    assert np.allclose(centred, centred[0], atol=1e-2)


def test_a_film_is_read_the_same_alone_and_in_a_batch(model):
    """Dynamic batching changes no answer beyond rounding."""
    films = golden_films(model.film_input.shape[0])
    together = answers(model, films)
    for index in range(len(films)):
        alone = answers(model, films[index : index + 1])
        for spec in model.outputs:
            allowed = {"probabilities": 1e-5, "heatmaps": 1e-3, "masks": 1, "scope": 1e-4}
            gap = alone[spec.name][0].astype(float) - together[spec.name][index].astype(float)
            assert np.abs(gap).max() <= allowed[spec.meaning], spec.name


def test_nobody_edited_the_served_folders_by_hand(model, tmp_path):
    """Configuration, code, labels and ensemble are what the exporter writes."""
    folder = REPOSITORY / model.name
    assert (folder / "config.pbtxt").read_text(encoding="utf-8") == render_config(model, Target.CPU)
    served = (ROOT / "training/hilum_training/export/served_model.py").read_bytes()
    code = folder / str(model.serving_version) / "model.py"
    assert code.read_bytes() == served
    assert (folder / "labels.txt").read_text(encoding="utf-8") == labels_text(model)
    write_ensemble(MODELS, tmp_path)
    shipped, written = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (REPOSITORY / "hilum", tmp_path)
    )
    assert shipped == written


def test_the_card_states_the_figures_of_the_report(model):
    """Card, manifest and report are of one measurement."""
    metrics = with_other_reports(report(model), ROOT / "training/reports")
    path = ROOT / f"training/recipes/{model.name}.toml"
    segments = is_segmentation(path)
    recipe = read_segmentation_recipe(path) if segments else read_recipe(path)
    said = "" if segments else later_fits_of(recipe)
    written = card_of(path, recipe.data, metrics, said)
    card = (REPOSITORY / model.name / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card == render_card(written.template, model, written.metrics)
    assert model.version == metrics["version"]
    assert "not for diagnosis" in card.lower()


def test_what_was_measured_elsewhere_stands_in_the_manifest(model):
    """Asked where nothing was learnt, and where the maps point: in `/metrics` as in the card."""
    metrics = with_other_reports(report(model), ROOT / "training/reports")
    for panel in model.panels:
        section = metrics["panels"][panel.name]
        for key in (ASKED, LOCALISATION):
            assert panel.metrics.get(key) == section.get(key), f"{panel.name}: {key}"


def test_operating_points_are_those_of_the_report(model):
    """What is shipped as positive is what was measured as positive."""
    metrics = report(model)
    for panel in model.panels:
        for point in panel.operating_points:
            measured = metrics["panels"][panel.name]["labels"][point.label]
            assert point.threshold == measured["threshold"]
            for share in ("sensitivity", "specificity"):
                # None where no source has enough test patients.
                worst = measured["worst_source"]
                assert getattr(point, share) == (worst and worst[share]["value"])
            assert point.fitted_on


def test_what_the_films_cannot_support_is_marked():
    """Weak are the heart, the germs of pneumonia and the fourteen findings, and no other label."""
    weak = {f"{panel.name}/{label.name}" for panel in READ for label in panel.labels if label.weak}
    pathology = next(panel for panel in READ if panel.name == "pathology")
    assert weak == {
        "lungs/heart",
        "pneumonia/pneumonia_bacterial",
        "pneumonia/pneumonia_viral",
        "pneumonia/covid19",
        *(f"pathology/{label.name}" for label in pathology.labels),
    }


def test_every_panel_says_what_its_recipe_says_of_it(model):
    """Cautions, ranks, prevalences and weak labels reach the manifest as the recipe has them."""
    path = ROOT / f"training/recipes/{model.name}.toml"
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    for recipe, panel in zip(document.get("panel", [document]), model.panels, strict=True):
        assert panel.caution == recipe.get("caution", "")
        for told, label in zip(recipe["label"], panel.labels, strict=True):
            rank = told.get("rank", "validated")
            assert (label.rank, label.prevalence) == (rank, told.get("prevalence"))
            assert label.weak == (told.get("weak", False) or rank != "validated")


def test_films_and_licences_are_counted(model):
    """Every source has a licence and counts by split."""
    assert model.training_data
    for row in model.training_data:
        assert row["source"]
        assert row["licence"]
        for counts in row["films"].values():
            assert counts.keys() == {"train", "validation", "test"}


def test_no_manifest_holds_a_path_of_the_machine_it_was_made_on(model):
    """What is published names nothing outside of it."""
    for path in (REPOSITORY / model.name).rglob("*.*"):
        if path.suffix in {".json", ".md", ".pbtxt", ".txt"}:
            text = path.read_text(encoding="utf-8")
            assert str(ROOT) not in text
            assert str(Path.home()) not in text


def test_frontal_films_pass_the_gate(pack):
    """Most of some real frontal films of every source do."""
    films = [film for film in pack_films(pack) if film.view in {"PA", "AP"}]
    some = inputs(pack, [film.file for film in films[:: len(films) // 40]])
    gate = next(panel for panel in READ if panel.kind is PanelKind.GATE)
    frontal = [label.name for label in gate.labels].index("frontal")
    passing = probabilities("gate", some)[:, frontal] >= gate.operating_point("frontal").threshold
    assert passing.mean() >= 0.95


def test_real_films_of_children_are_told_apart(pack):
    """On pack films of one hospital, ill ones score higher than normal ones."""
    means = []
    films = [film for film in pack_films(pack) if film.source == "kermany"]
    for label in ("normal", "pneumonia_bacterial"):
        some = [film.file for film in films if film.label == label]
        chances = probabilities("pneumonia", inputs(pack, some[:: max(1, len(some) // 25)]))
        means.append(1 - chances[:, 0].mean())
    assert means[1] > means[0] + 0.5


def test_a_film_of_megapixels_and_its_small_copy_are_read_alike(pack):
    """Training saw copies of 256 pixels; what is served are films as published."""
    with (pack / "native.csv").open(encoding="utf-8", newline="") as stream:
        pairs = [(row["file"], row["image"]) for row in csv.DictReader(stream)]
    native, copies = (
        probabilities("pneumonia", inputs(pack, names)) for names in zip(*pairs, strict=True)
    )
    differences = np.abs(native - copies).max(axis=1)
    assert np.median(differences) < 0.03
    assert differences.max() < 0.2
