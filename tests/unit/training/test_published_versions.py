"""Versions of one model beside one another: which one a publication replaces, and which it may."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hilum.serving.installed import read_model, verify_artefacts
from hilum_training.export import installing
from hilum_training.export.versions import NewerInstalled, OtherModel
from tests.small_networks import small_network, small_panel


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_another_version_is_published_beside_the_former(tmp_path):
    """The next number; the former keeps its graph, and what describes it moves to it."""
    repository = tmp_path / "models"
    small_network("chest", tmp_path).publish(repository)
    former = files(repository / "chest")
    newer = small_network("chest", tmp_path, version="0.2.0", seed=1).publish(repository)
    assert newer.serving_version == 2
    assert newer.onnx == "2/model.onnx"
    now = files(repository / "chest")
    assert now["1/model.onnx"] == former["1/model.onnx"]
    assert now["1/manifest.json"] == former["manifest.json"]
    assert now["1/MODEL_CARD.md"] == former["MODEL_CARD.md"]
    ensemble = json.loads((repository / "hilum/ensemble.json").read_text())
    assert ensemble["models"] == {"chest": 2}
    assert [path.name for path in (repository / "hilum").glob("[0-9]*")] == [
        str(ensemble["version"])
    ]
    small_network("chest", tmp_path, version="0.2.0", seed=1).publish(repository)
    assert files(repository / "chest") == now


def two_versions(folder):
    """A repository with 0.2.0 as number 1 and 0.3.0 as number 2."""
    repository = folder / "models"
    small_network("chest", folder, version="0.2.0").publish(repository)
    small_network("chest", folder, version="0.3.0", seed=1).publish(repository)
    return repository


def installed(repository):
    return [
        (item.version, item.serving_version) for item in read_model(repository / "chest").versions
    ]


def test_a_version_can_take_the_place_of_an_older_newest_one(tmp_path):
    """What is shipped with the source holds one version of each model."""
    repository = tmp_path / "models"
    small_network("chest", tmp_path).publish(repository)
    newer = small_network("chest", tmp_path, version="0.2.0", seed=1)
    assert newer.publish(repository, replace=True).serving_version == 1
    assert installed(repository) == [("0.2.0", 1)]
    assert "1/manifest.json" not in files(repository / "chest")


def test_replacing_the_newest_version_leaves_the_older_one_alone(tmp_path):
    """Sites read with what they promoted, under its number, whatever is published beside it."""
    repository = two_versions(tmp_path)
    before = files(repository / "chest/1")
    small_network("chest", tmp_path, version="0.3.0", seed=2).publish(repository, replace=True)
    assert installed(repository) == [("0.2.0", 1), ("0.3.0", 2)]
    assert files(repository / "chest/1") == before
    small_network("chest", tmp_path, version="0.4.0", seed=3).publish(repository, replace=True)
    assert installed(repository) == [("0.2.0", 1), ("0.4.0", 2)]
    assert files(repository / "chest/1") == before


def test_replacing_an_older_version_keeps_its_number_and_the_newer_one(tmp_path):
    """What `make export` does with the shipped version where a hospital's own is installed."""
    repository = two_versions(tmp_path)
    before = files(repository)
    small_network("chest", tmp_path, version="0.2.0").publish(repository, replace=True)
    assert files(repository) == before, "publishing the same again changes nothing"
    other = small_network("chest", tmp_path, version="0.2.0", seed=5)
    other.publish(repository, replace=True)
    assert installed(repository) == [("0.2.0", 1), ("0.3.0", 2)]
    verify_artefacts(read_model(repository / "chest"))
    now = files(repository)
    assert now["chest/1/model.onnx"] == other.onnx.read_bytes()
    changed = {name for name in now if now[name] != before[name]}
    assert now.keys() == before.keys()
    assert changed == {"chest/1/model.onnx", "chest/1/manifest.json"}


def test_an_older_version_does_not_replace_a_newer_one(tmp_path):
    """By precedence, not by spelling; nothing is written."""
    repository = tmp_path / "models"
    small_network("chest", tmp_path, version="0.10.0").publish(repository)
    before = files(repository)
    for older in ("0.9.0", "0.10.0-rc.1"):
        with pytest.raises(NewerInstalled, match=r"0\.10\.0 is installed, and newer"):
            small_network("chest", tmp_path, version=older).publish(repository, replace=True)
    assert files(repository) == before
    small_network("chest", tmp_path, version="0.11.0").publish(repository, replace=True)
    assert installed(repository) == [("0.11.0", 1)]


def test_a_version_that_stands_behind_a_newer_one_is_not_published_again(tmp_path):
    """Sites that pinned it would find another graph under the same name."""
    repository = two_versions(tmp_path)
    with pytest.raises(NewerInstalled, match="beside a newer one"):
        small_network("chest", tmp_path, version="0.2.0").publish(repository)


def test_a_kill_before_the_last_step_leaves_what_was_there(tmp_path, monkeypatch):
    """A graph never lies beside another graph's manifest: the folder changes in one step."""
    repository = tmp_path / "models"
    small_network("chest", tmp_path).publish(repository)
    before = files(repository / "chest")
    newer = small_network("chest", tmp_path, version="0.2.0", seed=1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("exchange", "_bring_in"):
        with monkeypatch.context() as patch:
            patch.setattr(installing, step, killed)
            with pytest.raises(KeyboardInterrupt):
                newer.publish(repository, replace=True)
        assert files(repository / "chest") == before
    assert newer.publish(repository, replace=True).version == "0.2.0"
    assert [path.name for path in repository.iterdir() if path.name.startswith(".")] == []


def test_where_folders_cannot_be_exchanged_a_crash_between_two_renames_is_made_good(
    tmp_path, monkeypatch
):
    """The next export finds the former folder aside, and takes it back before it goes on."""
    repository = tmp_path / "models"
    small_network("chest", tmp_path).publish(repository)
    before = files(repository / "chest")
    monkeypatch.setattr(installing.ctypes, "CDLL", lambda *_, **__: None)
    second = small_network("chest", tmp_path, version="0.2.0", seed=1)
    second.publish(repository)
    assert installed(repository) == [("0.1.0", 1), ("0.2.0", 2)]
    (repository / "chest").rename(repository / ".chest.former")
    assert second.publish(repository).serving_version == 2
    assert installed(repository) == [("0.1.0", 1), ("0.2.0", 2)]
    assert files(repository / "chest")["1/model.onnx"] == before["1/model.onnx"]
    assert not (repository / ".chest.former").exists()


@pytest.mark.parametrize("take_its_place", [False, True])
def test_a_network_with_other_labels_is_another_model(tmp_path, take_its_place):
    """Versions of one model share their outputs and what these mean, beside another or instead."""
    repository = tmp_path / "models"
    small_network("gate", tmp_path).publish(repository)
    before = files(repository)
    network = small_network("gate", tmp_path, version="0.2.0", seed=1)
    renamed = small_panel("gate", "gate", ("frontal", "lateral", "cat"))
    other = replace(network, publication=replace(network.publication, panels=(renamed,)))
    with pytest.raises(OtherModel, match="another model"):
        other.publish(repository, replace=take_its_place)
    assert files(repository) == before


def test_what_a_killed_export_left_is_cleared_away(tmp_path):
    """The next one does not leave a half-made folder among the models."""
    repository = tmp_path / "models"
    (repository / ".publishing-left/gate/1").mkdir(parents=True)
    small_network("gate", tmp_path).publish(repository)
    assert not list(repository.glob(".publishing-*"))
