"""The baselines' trunks, and the command that trains, measures and reports them."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

import keras

from hilum_training.baselines.commands import add_parser, run
from hilum_training.baselines.compared import Compared, places
from hilum_training.baselines.recipes import Beside
from hilum_training.baselines.scoring import score
from hilum_training.evaluation.answers import Answers
from hilum_training.evaluation.measure import measure_panel
from hilum_training.films.library import open_library
from hilum_training.films.pack import pack_folder
from hilum_training.initial_weights import InvalidWeights
from hilum_training.measures.metrics import softmax
from hilum_training.network import FEATURES, build_network
from hilum_training.prediction import predict_logits
from hilum_training.recipe import NetworkRecipe, read_recipe
from hilum_training.recipe_errors import InvalidRecipe
from hilum_training.weights import WeightsMissing, load_network, save_weights, weights_path
from tests.unit.training.baseline_films import (
    CHEST,
    film,
    shipped,
    small_pack,
    tiny_recipes,
)


def command(*arguments: str) -> argparse.Namespace:
    """What the command line gives to the command."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(dest="command", required=True))
    return parser.parse_args(["baselines", *arguments])


def of_architecture(name: str, size: int, **options: object):
    """The compared recipe on another trunk."""
    plan = NetworkRecipe(name, dropout=0.0, widths=(4, 8), **options)
    film_recipe = replace(CHEST.film, size=size)
    return replace(CHEST, film=film_recipe, network=plan, panels=CHEST.panels[:1])


@pytest.mark.parametrize(
    ("name", "size", "channels"),
    [
        ("plain-cnn", 32, 8),
        ("mobilenet", 32, 1024),
        ("mobilenet-v2-0.35", 32, 1280),
        ("inception-v3", 80, 2048),
    ],
)
def test_each_trunk_ends_in_features_of_its_published_width(name, size, channels):
    """MobileNet ends in 1024 channels, MobileNetV2 in 1280 at alpha 0.35, InceptionV3 in 2048."""
    network = build_network(of_architecture(name, size))
    assert network.get_layer(FEATURES).output.shape[-1] == channels
    logits = network(np.zeros((1, size, size, 1), dtype=np.float32))
    assert logits["pneumonia"].shape == (1, 4)


def test_a_frozen_trunk_leaves_the_head_alone_to_learn():
    """A transfer head: one kernel and one bias."""
    network = build_network(of_architecture("mobilenet", 32, frozen_stages=1))
    assert [tuple(item.shape) for item in network.trainable_variables] == [(1024, 4), (4,)]


def test_a_trunk_takes_its_weights_from_a_local_file(tmp_path):
    """What the file holds is what the trunk holds."""
    published = keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    path = tmp_path / "mobilenet.weights.h5"
    published.save_weights(path)
    network = build_network(of_architecture("mobilenet", 32, initial=str(path)))
    (trunk,) = (layer for layer in network.layers if isinstance(layer, keras.Model))
    for ours, theirs in zip(trunk.get_weights(), published.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_missing_weights_file_is_named(tmp_path):
    """A recipe that names a file that is not there does not train from random weights."""
    with pytest.raises(InvalidWeights, match=r"none\.h5"):
        build_network(of_architecture("mobilenet", 32, initial=str(tmp_path / "none.h5")))


def test_another_split_is_no_place_to_compare():
    """A film that the compared network's split does not hold stops the comparison."""
    films = [film(index, "kermany", "normal") for index in range(3)]
    assert places(films, films[::-1]).tolist() == [2, 1, 0]
    with pytest.raises(KeyError):
        places(films[:2], films)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A pack, tiny recipes, and weights of the network that is compared."""
    monkeypatch.setenv("HILUM_CXR_DIR", str(small_pack(tmp_path / "pack")))
    names = ("infection-cnn", "infection-classical", "pathology-heads", "covid-mobilenet")
    recipes = tiny_recipes(tmp_path / "recipes", *names)
    chest = read_recipe(recipes / "chest.toml")
    keras.utils.set_random_seed(1)
    save_weights(build_network(chest), weights_path(tmp_path / "weights", chest.name))
    return [
        "--epochs=1",
        *(f"--{name}={tmp_path / name}" for name in ("runs", "recipes", "weights", "reports")),
    ]


def test_every_method_is_trained_measured_and_set_beside_the_network_that_ships(folders, tmp_path):
    """One run over all: figures, differences, table and pictures of each."""
    run(command(*folders))
    folder = tmp_path / "reports/baselines"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics) == {
        "covid-mobilenet",
        "infection-classical",
        "infection-cnn",
        "pathology-heads",
    }
    for row in metrics.values():
        assert row["hilum"]["pooled"]["films"] > 0
        assert row["hilum_less_baseline"]["baseline"] in row["figures"]
    assert "accuracy" in metrics["infection-cnn"]["ensemble_gain"]
    tables = metrics["infection-classical"]["classical"]
    assert {len(table["classifiers"]) for table in tables.values()} == {5}
    groups = metrics["pathology-heads"]["groups"]
    assert groups["features"] == "the chest network's features"
    assert {row["group"] for row in groups["rows"]} == {"women", "men", "PA", "AP"}
    page = (folder / "README.md").read_text()
    for name in metrics:
        assert f"## {name}" in page
    pictures = {path.name for path in folder.glob("*.svg")}
    assert {"infection-cnn.svg", "infection-classical-films.svg"} <= pictures
    assert (folder / "infection-cnn-cnn.csv").read_text().startswith("epoch,")
    assert "Does an ensemble pay?" in page


def test_one_baseline_alone_leaves_the_others_figures(folders, tmp_path):
    """``--only`` replaces one section of the report, and stands alone without Hilum's weights."""
    weights_path(tmp_path / "weights", "chest").unlink()
    run(command(*folders, "--only=infection-cnn"))
    path = tmp_path / "reports/baselines/metrics.json"
    first = json.loads(path.read_text())
    assert "hilum" not in first["infection-cnn"]
    page = (tmp_path / "reports/baselines/README.md").read_text()
    assert "Not run yet, so without figures: covid-mobilenet" in page
    run(command(*folders, "--only=covid-mobilenet", "--limit=60"))
    second = json.loads(path.read_text())
    assert second["infection-cnn"] == first["infection-cnn"]
    assert second["covid-mobilenet"]["networks"][0]["train_films"] == 60


def test_a_network_trained_later_is_set_beside_what_the_baselines_said(folders, tmp_path):
    """Nothing is trained again: the baseline's own figures stay."""
    weights = weights_path(tmp_path / "weights", "chest")
    aside = weights.rename(tmp_path / "aside.npz")
    run(command(*folders, "--only=infection-cnn"))
    path = tmp_path / "reports/baselines/metrics.json"
    alone = json.loads(path.read_text())["infection-cnn"]
    with pytest.raises(WeightsMissing):
        run(command(*folders, "--beside"))
    aside.rename(weights)
    run(command(*folders, "--beside"))
    both = json.loads(path.read_text())["infection-cnn"]
    assert (
        both["hilum"]["pooled"]["films"] == alone["figures"]["infection-cnn-cnn"]["pooled"]["films"]
    )
    assert {key: both[key] for key in alone} == alone


def test_the_network_that_ships_is_compared_as_its_own_report_measures_it(folders, tmp_path):
    """Calibrated on validation films: a question has the report's figure."""
    recipe = read_recipe(tmp_path / "recipes/chest.toml")
    network = load_network(tmp_path / "weights", recipe)
    library = open_library(recipe, pack_folder(), tmp_path / "runs")
    panel = next(item for item in recipe.panels if item.name == "pneumonia")
    compared = Compared(recipe, network, library, tmp_path / "runs")
    beside = Beside(panel.name, {name: (name,) for name in panel.names})
    told = [
        Answers.of(panel, part, predict_logits(network, part.inputs)[panel.name])
        for part in (library.validation, library.test)
    ]
    said = compared.verdicts(panel, beside, library.test)
    calibrated = told[0].calibration().probabilities(told[1].logits)
    assert said.probabilities == pytest.approx(calibrated, abs=1e-5)
    assert np.abs(said.probabilities - softmax(told[1].logits)).max() > 1e-3
    report = {
        row["question"]: row["auroc"]["value"] for row in measure_panel(*told)["within_source"]
    }
    mine = {row["question"]: row["value"] for row in score(said)["within_source"]}
    assert mine == pytest.approx(report, abs=1e-3)


def test_a_baseline_that_does_not_exist_is_refused(folders):
    """The complaint lists those that do."""
    with pytest.raises(InvalidRecipe, match="infection-cnn"):
        run(command(*folders, "--only=oracle"))


def test_the_ensembles_members_are_trained_from_what_the_recipe_says():
    """Random weights for both, and no frozen part: random features would not learn."""
    for recipe in shipped("pneumonia-ensemble").recipes:
        assert recipe.network.initial == ""
        assert recipe.network.frozen_stages == 0
