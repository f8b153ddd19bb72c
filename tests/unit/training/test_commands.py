"""The commands as a person types them, on a small pack and the shipped recipes."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from hilum.domain.model import ModelManifest
from hilum_training.recipe import read_recipe
from tests.unit.training.film_folders import FilmFolder, texture

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")

from hilum_training import __main__ as command_line
from hilum_training.__main__ import main

RECIPES = command_line.TRAINING / "recipes"
FINDINGS = next(
    panel.names
    for panel in read_recipe(RECIPES / "chest.toml").panels
    if panel.kind == "multi_label"
)
KINDS = (
    ("kermany", "normal", "NORMAL"),
    ("kermany", "pneumonia_bacterial", "PNEUMONIA"),
    ("kermany", "pneumonia_viral", "PNEUMONIA"),
    ("cohen", "covid19", "COVID-19"),
    ("covid_cxnet", "covid19", "COVID-19"),
    ("montgomery", "tuberculosis", "tuberculosis"),
    ("shenzhen", "tuberculosis", "tuberculosis"),
    ("shenzhen", "normal", "normal"),
    ("nih14", "normal", "normal"),
    ("nih14", "other:effusion", "|".join(FINDINGS)),
    ("nih14", "pneumonia_unspecified", "Pneumonia|Infiltration"),
    ("dc1000", "other:body_dental", "body_dental"),
    ("ddh_jordan", "other:body_pelvis", "body_pelvis"),
)


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """Twelve patients of every kind of film, and twelve laterals."""
    folder = FilmFolder(tmp_path / "pack")
    for place, (source, label, findings) in enumerate(KINDS):
        for patient in range(12):
            pixels = texture(100 * place + patient)
            name = f"{source}-{label.replace(':', '-')}-{patient}"
            view = {"view": "other"} if label.startswith("other:body_") else {}
            folder.add(name, pixels, label, source=source, labels=findings, **view)
    for patient in range(12):
        folder.add(f"l{patient}", texture(5000 + patient), "covid19", source="cohen", view="L")
    monkeypatch.setenv("HILUM_CXR_DIR", str(folder.close()))
    return folder.folder


@pytest.mark.parametrize("panel", ["gate", "tuberculosis"])
def test_a_try_goes_from_films_to_a_model_folder(pack, tmp_path, panel):
    """Train, evaluate and export by a panel's name; a try touches nothing that is served."""
    options = ["--epochs", "1", "--limit", "40", "--runs", str(tmp_path / "runs")]
    for command in ("train", "evaluate", "export"):
        assert main([command, panel, *options]) == 0
    network = "gate" if panel == "gate" else "chest"
    folder = tmp_path / "runs/try/model_repository" / network
    manifest = ModelManifest.from_json((folder / "manifest.json").read_text(encoding="utf-8"))
    assert panel in {item.name for item in manifest.panels}
    report = tmp_path / "runs/try/reports"
    assert json.loads((report / panel / "metrics.json").read_text(encoding="utf-8"))
    assert (report / network / "epochs.csv").read_text(encoding="utf-8").count("\n") == 2
    assert np.load(tmp_path / f"runs/try/weights/{network}.npz").files


def test_a_panel_that_nobody_trains_is_named(capsys):
    """A typing mistake ends with a sentence and code 2, not with a traceback."""
    assert main(["train", "pnuemonia"]) == 2
    assert "pnuemonia" in capsys.readouterr().err


def test_a_missing_pack_is_named(tmp_path, monkeypatch, capsys):
    """Without films the command says which variable to set."""
    monkeypatch.setenv("HILUM_CXR_DIR", str(tmp_path))
    assert main(["train", "gate", "--runs", str(tmp_path)]) == 2
    assert "HILUM_CXR_DIR" in capsys.readouterr().err


def test_a_gate_is_not_measured_without_its_pictures(pack, tmp_path, monkeypatch, capsys):
    """On a fresh clone the shipped gate's report stays as it is, and the way out is named."""
    clone = tmp_path / "clone/training"
    shutil.copytree(RECIPES, clone / "recipes")
    shutil.copytree(RECIPES.parent / "weights", clone / "weights")
    monkeypatch.setattr(command_line, "TRAINING", clone)
    for command in ("train", "evaluate"):
        assert main([command, "gate", "--runs", str(tmp_path / "runs")]) == 2
        assert "make negatives" in capsys.readouterr().err
    assert not (clone / "reports").exists()


def test_films_that_do_not_suffice_are_named_before_training(pack, tmp_path, capsys):
    """Not after it, when an operating point cannot be chosen."""
    manifest = pack / "manifest.csv"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(",tuberculosis,", ",normal,"), encoding="utf-8")
    options = ["--epochs", "1", "--limit", "40", "--runs", str(tmp_path / "runs")]
    assert main(["train", "tuberculosis", *options]) == 2
    assert "no training film with tuberculosis" in capsys.readouterr().err
    assert not (tmp_path / "runs/try").exists()
