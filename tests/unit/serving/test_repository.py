"""Rendering a whole repository for a target, and what lies in one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hilum.domain.errors import InvalidManifest
from hilum.serving.installed import read_installed, read_model
from hilum.serving.repository import Rendering, render_repository
from hilum.serving.target import Target
from tests.small_networks import PANELS, small_network, small_repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    small_repository(folder / "models", folder / "graphs")
    return folder / "models"


def rendered(source, out, target, **plans: dict[int, Path]):
    renderings = {name: Rendering(target, plans.get(name, {})) for name in PANELS}
    render_repository(source, out, renderings)
    return files(out)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_cpu_target_is_what_training_published(source, tmp_path):
    """File for file and byte for byte."""
    assert rendered(source, tmp_path / "out", Target.CPU) == files(source)


def test_a_gpu_target_carries_what_its_backend_loads_and_no_more(source, tmp_path):
    """ONNX Runtime's backend takes the graph alone, TensorRT's the engine alone."""
    onnx = rendered(source, tmp_path / "onnx", Target.GPU_ONNXRUNTIME)
    assert [name for name in onnx if name.startswith("chest/1/")] == ["chest/1/model.onnx"]
    plan = tmp_path / "built.plan"
    plan.write_bytes(b"an engine")
    made = rendered(source, tmp_path / "plan", Target.GPU_TENSORRT, chest={1: plan})
    assert {name for name in made if "/1/model" in name} == {"chest/1/model.plan"}
    assert made["chest/1/model.plan"] == b"an engine"
    assert (tmp_path / "plan/gate/1").is_dir(), "the place of an engine that is still to be built"


def test_models_of_one_repository_may_have_different_targets(source, tmp_path):
    """One network whose engine could not be built does not keep the others from theirs."""
    plan = tmp_path / "built.plan"
    plan.write_bytes(b"an engine")
    renderings = {
        "gate": Rendering(Target.GPU_ONNXRUNTIME),
        "chest": Rendering(Target.GPU_TENSORRT, {1: plan}),
        "lungs": Rendering(Target.CPU),
    }
    render_repository(source, tmp_path / "out", renderings)
    backends = {
        name: (tmp_path / "out" / name / "config.pbtxt")
        .read_text()
        .split('backend: "')[1]
        .split('"')[0]
        for name in PANELS
    }
    assert backends == {"gate": "onnxruntime", "chest": "tensorrt", "lungs": "python"}
    assert (tmp_path / "out/hilum/config.pbtxt").is_file()


def test_rendering_again_replaces_what_was_there(source, tmp_path):
    """Nothing of the former target is left beside the new one, and nothing else is touched."""
    out = tmp_path / "out"
    rendered(source, out, Target.CPU)
    (out / "other").mkdir()
    again = rendered(source, out, Target.GPU_ONNXRUNTIME)
    assert not [name for name in again if name.endswith("model.py")]
    assert sorted(path.name for path in out.iterdir()) == [
        "chest",
        "gate",
        "hilum",
        "lungs",
        "other",
    ]


def test_a_rendering_that_fails_leaves_what_was_served(source, tmp_path):
    """A missing engine file is found before anything is exchanged."""
    out = tmp_path / "out"
    before = rendered(source, out, Target.CPU)
    with pytest.raises(FileNotFoundError):
        rendered(source, out, Target.GPU_TENSORRT, lungs={1: tmp_path / "missing.plan"})
    assert files(out) == before
    assert sorted(path.name for path in out.iterdir()) == ["chest", "gate", "hilum", "lungs"]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda path: path.write_bytes(b"another graph"), "not the one that was published"),
        (lambda path: path.unlink(), "is missing"),
    ],
)
def test_a_graph_that_is_not_the_published_one_is_not_rendered(source, tmp_path, damage, complaint):
    """The digest in the manifest decides, before anything is written."""
    shutil.copytree(source, tmp_path / "models")
    damage(tmp_path / "models/gate/1/model.onnx")
    with pytest.raises(InvalidManifest, match=complaint):
        rendered(tmp_path / "models", tmp_path / "out", Target.GPU_ONNXRUNTIME)
    assert not (tmp_path / "out").exists()


def test_a_repository_is_not_rendered_onto_itself(source):
    """Only training writes the repository that it publishes."""
    with pytest.raises(InvalidManifest, match="onto"):
        rendered(source, source, Target.GPU_ONNXRUNTIME)


def test_versions_beside_one_another_are_all_rendered(tmp_path):
    """Each version brings its own graph; the ensemble asks the newest."""
    source = tmp_path / "models"
    small_repository(source, tmp_path)
    small_network("chest", tmp_path, version="0.2.0", seed=5).publish(source)
    made = rendered(source, tmp_path / "out", Target.GPU_ONNXRUNTIME)
    assert made["chest/1/model.onnx"] != made["chest/2/model.onnx"]
    assert b'model_name: "chest" model_version: 2' in made["hilum/config.pbtxt"]
    model = read_model(tmp_path / "out/chest")
    assert [manifest.version for manifest in model.versions] == ["0.1.0", "0.2.0"]
    assert model.newest.version == "0.2.0"


def test_an_empty_folder_is_no_repository(tmp_path):
    """Rendering nothing would leave a server without models."""
    with pytest.raises(InvalidManifest, match="holds no model"):
        read_installed(tmp_path)


def test_a_manifest_in_the_folder_of_another_model_is_refused(source, tmp_path):
    """Triton serves the folder's name, whatever the manifest says."""
    shutil.copytree(source / "gate", tmp_path / "door")
    with pytest.raises(InvalidManifest, match="holds a model named gate"):
        read_installed(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"serving_version": 3}, "holds version 3"),
        ({"serving_version": 2}, "has other inputs or outputs"),
    ],
)
def test_an_older_version_must_fit_the_newest(tmp_path, change, complaint):
    """A folder that somebody dropped in with another number or other outputs is refused."""
    manifest = small_network("gate", tmp_path).publish(tmp_path / "models")
    other = small_network("lungs", tmp_path).publish(tmp_path / "models")
    folder = tmp_path / "models/gate/2"
    folder.mkdir()
    wrong = replace(manifest, outputs=other.outputs, panels=other.panels, **change)
    (folder / "manifest.json").write_text(wrong.to_json())
    with pytest.raises(InvalidManifest, match=complaint):
        read_model(tmp_path / "models/gate")
