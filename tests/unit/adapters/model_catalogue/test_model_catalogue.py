"""Folders that are no sound model repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilum.adapters.model_catalogue.ensemble import ENSEMBLE
from hilum.adapters.model_catalogue.model_catalogue import MANIFEST, FilesystemModelCatalogue
from hilum.domain.errors import InvalidManifest
from hilum.domain.model import Ensemble
from tests.fakes.model_catalogue import small_model
from tests.grey_networks import write_grey_repository

SHIPPED = Path(__file__).resolve().parents[4] / "model_repository"
PNEUMONIA = small_model()


def write(repository, model, folder=None):
    """Publish a manifest without artefacts."""
    home = repository / (folder or model.name)
    home.mkdir()
    (home / MANIFEST).write_text(model.to_json(), encoding="utf-8")
    return home / MANIFEST


def test_reads_the_shipped_repository():
    """What this checkout ships is sound, with its artefacts and a card for each model."""
    catalogue = FilesystemModelCatalogue(SHIPPED, verify_artefacts=True)
    current = catalogue.current()
    assert current.gate is not None
    for panel in ("pneumonia", "infection", "tuberculosis", "pathology", "lungs"):
        assert current.panel(panel) is not None
    assert current.together is not None, "one request reads a film with all of them"
    for model in current.models:
        assert "research use only" in catalogue.card(model).lower()


def test_reads_manifests_once(tmp_path):
    """The set in force does not change under a running process."""
    manifest = write(tmp_path, PNEUMONIA)
    catalogue = FilesystemModelCatalogue(tmp_path)
    first = catalogue.current()
    manifest.unlink()
    assert catalogue.current() is first


def test_a_folder_without_a_manifest_is_no_model(tmp_path):
    """Files that lie beside the models disturb nothing."""
    write(tmp_path, PNEUMONIA)
    (tmp_path / "unfinished" / "1").mkdir(parents=True)
    (tmp_path / "README.md").write_text("models", encoding="utf-8")
    assert FilesystemModelCatalogue(tmp_path).current().models == (PNEUMONIA,)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 99}'])
def test_a_malformed_manifest_is_refused(tmp_path, text):
    """A process does not start on half of its models."""
    write(tmp_path, PNEUMONIA).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidManifest):
        FilesystemModelCatalogue(tmp_path).current()


def test_a_manifest_that_is_no_text_is_refused(tmp_path):
    """Bytes that are not UTF-8 are told as a broken manifest, not as a crash."""
    write(tmp_path, PNEUMONIA).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidManifest):
        FilesystemModelCatalogue(tmp_path).current()


def test_a_manifest_with_an_unknown_field_is_refused(tmp_path):
    """A misspelt field would otherwise be a default that nobody chose."""
    manifest = write(tmp_path, PNEUMONIA)
    document = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**document, "metric": {}}), encoding="utf-8")
    with pytest.raises(InvalidManifest):
        FilesystemModelCatalogue(tmp_path).current()


def test_a_folder_is_named_as_its_model(tmp_path):
    """Triton serves a model by its folder's name."""
    write(tmp_path, PNEUMONIA, folder="pneumonia-2")
    with pytest.raises(InvalidManifest, match="pneumonia-2"):
        FilesystemModelCatalogue(tmp_path).current()


def test_a_panel_has_one_model(tmp_path):
    """Two readings of one panel would overwrite one another."""
    write(tmp_path, PNEUMONIA)
    write(tmp_path, small_model("pneumonia-next"))
    with pytest.raises(InvalidManifest, match="panel pneumonia"):
        FilesystemModelCatalogue(tmp_path).current()


def test_artefacts_are_checked_where_models_run(tmp_path):
    """A missing or cut artefact is told at once; who only shows models needs none."""
    repository = write_grey_repository(tmp_path / "models")
    [model, *_] = FilesystemModelCatalogue(repository, verify_artefacts=True).current().models
    graph = repository / model.name / model.onnx
    graph.write_bytes(graph.read_bytes()[:-1])
    with pytest.raises(InvalidManifest, match="bytes"):
        FilesystemModelCatalogue(repository, verify_artefacts=True).current()
    graph.unlink()
    with pytest.raises(InvalidManifest, match="missing"):
        FilesystemModelCatalogue(repository, verify_artefacts=True).current()
    assert FilesystemModelCatalogue(repository).current().gate == (model, model.panels[0])


def ensemble(repository, text, name="hilum"):
    """Put an ensemble beside the models."""
    home = repository / name
    home.mkdir()
    (home / ENSEMBLE).write_text(text, encoding="utf-8")


def test_an_ensemble_is_read_with_the_versions_that_it_runs(tmp_path):
    """It is no model, and changes nothing in the version of the set."""
    write(tmp_path, PNEUMONIA)
    alone = FilesystemModelCatalogue(tmp_path).current()
    ensemble(tmp_path, '{"version": 77, "models": {"pneumonia": 1}}')
    current = FilesystemModelCatalogue(tmp_path).current()
    assert current.ensemble == Ensemble("hilum", {"pneumonia": 1}, 77)
    assert current.together == current.ensemble
    assert (current.models, current.version) == (alone.models, alone.version)
    assert alone.ensemble is None


def test_an_ensemble_of_other_versions_does_not_serve_the_set(tmp_path):
    """It is there, and each model is asked by itself."""
    write(tmp_path, PNEUMONIA)
    ensemble(tmp_path, '{"models": {"pneumonia": 2}}')
    current = FilesystemModelCatalogue(tmp_path).current()
    assert (current.ensemble.models, current.together) == ({"pneumonia": 2}, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"models": []}',
        '{"models": {}}',
        '{"models": {"a": "1"}}',
        '{"models": {"a": 1}, "version": "1"}',
    ],
)
def test_an_ensemble_that_cannot_be_read_is_refused(tmp_path, text):
    """Or films would be read by nobody knows which versions."""
    write(tmp_path, PNEUMONIA)
    ensemble(tmp_path, text)
    with pytest.raises(InvalidManifest, match="hilum"):
        FilesystemModelCatalogue(tmp_path).current()


def test_a_repository_has_one_ensemble(tmp_path):
    """Nothing says which of two is meant."""
    write(tmp_path, PNEUMONIA)
    for name in ("hilum", "other"):
        ensemble(tmp_path, '{"models": {"pneumonia": 1}}', name)
    with pytest.raises(InvalidManifest, match="2 ensembles"):
        FilesystemModelCatalogue(tmp_path).current()
