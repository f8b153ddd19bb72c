"""The ensemble's configuration, read back with Triton's own message definition."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from hilum.domain.errors import InvalidManifest
from hilum.serving.ensemble import ensemble_members, ensemble_version, render_ensemble
from tests.small_networks import small_repository


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    return small_repository(folder / "models", folder / "graphs")


def test_one_film_goes_to_every_network_and_all_outputs_come_back(manifests):
    """Each step maps the film in and each of its outputs out under its own name."""
    config = text_format.Parse(render_ensemble(list(manifests.values())), ModelConfig())
    assert [item.name for item in config.input] == ["film"]
    steps = {step.model_name: step for step in config.ensemble_scheduling.step}
    assert steps.keys() == manifests.keys()
    for name, step in steps.items():
        assert dict(step.input_map) == {"film": "film"}
        assert dict(step.output_map) == {spec.name: spec.name for spec in manifests[name].outputs}
    given = {item.name for item in config.output}
    assert given == {spec.name for model in manifests.values() for spec in model.outputs}


def test_each_step_is_pinned_to_the_newest_version(manifests):
    """Triton's "latest" would change answers when a folder appears; members say the same."""
    newer = replace(manifests["chest"], serving_version=7)
    models = [manifests["gate"], newer]
    config = text_format.Parse(render_ensemble(models), ModelConfig())
    pinned = {step.model_name: step.model_version for step in config.ensemble_scheduling.step}
    assert pinned == {"gate": 1, "chest": 7}
    number = ensemble_version(models)
    assert json.loads(ensemble_members(models)) == {"version": number, "models": pinned}
    assert list(config.version_policy.specific.versions) == [number]


def test_other_networks_are_another_version_of_the_ensemble(manifests):
    """By number or by weights: a client that pins it never gets the others' answers."""
    gate, chest = manifests["gate"], manifests["chest"]
    onnx = next(item for item in chest.artefacts if item.path == chest.onnx)
    others = [item for item in chest.artefacts if item is not onnx]
    retrained = replace(chest, artefacts=(*others, replace(onnx, sha256="0" * 64)))
    sets = [[gate, chest], [gate, replace(chest, serving_version=2)], [gate, retrained], [chest]]
    numbers = {ensemble_version(models) for models in sets}
    assert len(numbers) == len(sets)
    assert all(0 < number < 2**31 for number in numbers)
    assert ensemble_version([chest, gate]) == ensemble_version([gate, chest])


def test_the_order_of_the_models_changes_nothing(manifests):
    """The file is the same whichever network was exported last."""
    models = list(manifests.values())
    assert render_ensemble(models) == render_ensemble(models[::-1])


def test_networks_that_do_not_take_the_same_film_cannot_answer_together(manifests):
    """Another preprocessing is another film."""
    other = replace(manifests["lungs"], preprocessing="other-v1")
    with pytest.raises(InvalidManifest, match="same film"):
        render_ensemble([manifests["gate"], other])


def test_two_outputs_of_one_name_are_refused(manifests):
    """One of the two would be lost without a word."""
    twin = replace(manifests["gate"], name="twin")
    with pytest.raises(InvalidManifest, match="same name"):
        render_ensemble([manifests["gate"], twin])


def test_an_ensemble_of_nothing_is_refused():
    """There is nothing to ask."""
    with pytest.raises(InvalidManifest, match="needs networks"):
        render_ensemble([])
