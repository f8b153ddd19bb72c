"""Publishing small networks: what is written, what is refused, and how versions follow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from hilum.domain.errors import InvalidManifest
from hilum.domain.model import ModelManifest, PanelKind
from hilum.imaging.golden_films import golden_films
from hilum.serving.target import Target
from hilum_training.export import publish as publishing
from hilum_training.export.cards import Card
from hilum_training.export.manifest import UnknownTensor, read_tensors
from hilum_training.export.parity import ParityLost, onnx_runtime
from hilum_training.export.publish import TrainedNetwork, publish
from hilum_training.export.render import render
from tests.small_networks import (
    CARD,
    SIZE,
    small_network,
    small_panel,
    small_repository,
    write_graph,
)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def published(network, repository, answer=None):
    """Publish with another answer than the graph's own."""
    return publish(
        network.publication,
        TrainedNetwork(
            answer or onnx_runtime(network.onnx),
            lambda path: path.write_bytes(network.onnx.read_bytes()),
            SIZE,
        ),
        Card(CARD, {"panels": {}}),
        repository,
        triton=False,
    )


def test_a_published_folder_is_complete_and_a_repetition_changes_nothing(tmp_path):
    """Graph, code, configuration, labels, manifest, card; byte for byte the same again."""
    repository = tmp_path / "models"
    small_network("chest", tmp_path).publish(repository)
    first = files(repository)
    number = json.loads(first["hilum/ensemble.json"])["version"]
    assert sorted(first) == [
        "chest/1/model.onnx",
        "chest/1/model.py",
        "chest/MODEL_CARD.md",
        "chest/config.pbtxt",
        "chest/labels.txt",
        "chest/manifest.json",
        f"hilum/{number}/.gitkeep",
        "hilum/config.pbtxt",
        "hilum/ensemble.json",
    ]
    small_network("chest", tmp_path).publish(repository)
    assert files(repository) == first


def test_the_manifest_tells_what_lies_beside_it(tmp_path):
    """Digests of the artefacts, tensors of the graph, panels of the recipe; readable again."""
    manifest = small_network("chest", tmp_path).publish(tmp_path / "models")
    folder = tmp_path / "models/chest"
    assert ModelManifest.from_json((folder / "manifest.json").read_text()) == manifest
    for artefact in manifest.artefacts:
        content = (folder / artefact.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == artefact.sha256
    assert manifest.film_input.shape == (SIZE, SIZE, 1)
    assert manifest.output("probabilities", "pathology").shape == (3,)
    assert manifest.output("heatmaps", "tuberculosis").shape == (8, 8, 2)
    points = manifest.panels[0].operating_points
    assert [(point.label, point.threshold) for point in points] == [
        ("normal", 0.5),
        ("tuberculosis", 0.5),
    ]


def test_labels_name_panel_and_label_in_the_order_of_the_outputs(tmp_path):
    """One line per output value."""
    small_network("chest", tmp_path).publish(tmp_path / "models")
    assert (tmp_path / "models/chest/labels.txt").read_text().splitlines() == [
        "tuberculosis/normal",
        "tuberculosis/tuberculosis",
        "pathology/effusion",
        "pathology/mass",
        "pathology/nodule",
    ]


def test_the_code_that_is_served_is_the_exporters(tmp_path):
    """Triton runs the very file that is tested here."""
    small_network("gate", tmp_path).publish(tmp_path / "models")
    source = Path(publishing.__file__).with_name("served_model.py")
    assert (tmp_path / "models/gate/1/model.py").read_bytes() == source.read_bytes()


def test_a_graph_that_is_not_the_network_is_not_published(tmp_path):
    """One probability off by a thousandth, on one film, and nothing is written."""
    network = small_network("gate", tmp_path)
    honest = onnx_runtime(network.onnx)

    def other(films):
        answer = dict(honest(films))
        wrong = answer["gate_probabilities"].copy()
        wrong[3, 0] += 1e-3
        return {**answer, "gate_probabilities": wrong}

    with pytest.raises(ParityLost, match="gate_probabilities"):
        published(network, tmp_path / "models", other)
    assert not (tmp_path / "models/gate").exists()


def test_a_network_that_gives_no_number_is_not_published(tmp_path):
    """NaN on both sides is no parity."""
    network = small_network("gate", tmp_path)

    def nowhere(films):
        return {"gate_probabilities": np.full((len(films), 3), np.nan, np.float32)}

    with pytest.raises(ParityLost):
        published(network, tmp_path / "models", nowhere)


def test_parity_is_reported_for_the_golden_films(tmp_path):
    """How far ONNX Runtime is from the network, and on how many films."""
    (parity,) = published(small_network("lungs", tmp_path), tmp_path / "models").parity
    assert parity.films == len(golden_films(SIZE))
    assert parity.gaps == {"lungs_masks": 0.0}
    assert "ONNX Runtime on 8 films" in str(parity)


def test_a_panel_of_another_size_than_its_output_is_refused(tmp_path):
    """Five labels on three probabilities would shift every reading."""
    network = small_network("gate", tmp_path)
    wrong = small_panel("gate", "gate", ("frontal", "lateral", "not_chest", "inverted", "rotated"))
    other = replace(network, publication=replace(network.publication, panels=(wrong,)))
    with pytest.raises(InvalidManifest, match="5 labels"):
        other.publish(tmp_path / "models")


def test_an_output_of_no_panel_is_refused(tmp_path):
    """What nobody reads is not served."""
    write_graph(tmp_path / "graph.onnx", {"gate": (PanelKind.GATE, 3), "other": ("gate", 2)})
    with pytest.raises(UnknownTensor, match="other_probabilities"):
        read_tensors(tmp_path / "graph.onnx", ["gate"])


def test_a_graph_that_takes_no_bytes_is_refused(tmp_path):
    """Films travel as uint8; scaling belongs into the graph."""
    write_graph(tmp_path / "graph.onnx", {"gate": (PanelKind.GATE, 3)})
    graph = onnx.load(tmp_path / "graph.onnx")
    graph.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    onnx.save(graph, tmp_path / "float.onnx")
    with pytest.raises(UnknownTensor, match="no film"):
        read_tensors(tmp_path / "float.onnx", ["gate"])


def test_a_repository_too_large_for_git_is_refused(tmp_path, monkeypatch):
    """The graphs of all models together count."""
    repository = tmp_path / "models"
    small_network("gate", tmp_path).publish(repository)
    size = (repository / "gate/1/model.onnx").stat().st_size
    monkeypatch.setattr(publishing, "LARGEST_REPOSITORY", size + 10)
    small_network("gate", tmp_path).publish(repository)
    with pytest.raises(ValueError, match="more than"):
        small_network("chest", tmp_path).publish(repository)


def test_the_repository_is_rendered_for_another_target_without_tensorflow(tmp_path):
    """What ``python -m hilum_training render`` does."""
    small_repository(tmp_path / "models", tmp_path)
    folders = render(tmp_path / "models", Target.GPU_TENSORRT, tmp_path / "out")
    assert [folder.name for folder in folders] == ["chest", "gate", "lungs", "hilum"]
    assert 'backend: "tensorrt"' in (tmp_path / "out/lungs/config.pbtxt").read_text()
