"""Graphs that are not what their manifest says."""

from __future__ import annotations

import hashlib
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hilum.adapters.inference.onnx_runtime import OnnxRuntimeEngine
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.domain.errors import InferenceFailed, ModelNotServed
from hilum.domain.model import Artefact

SHIPPED = Path(__file__).resolve().parents[4] / "model_repository"


@pytest.fixture
def repository(tmp_path):
    """A copy of the shipped repository, to spoil."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "models"))


@pytest.fixture
def model():
    """A shipped model."""
    return FilesystemModelCatalogue(SHIPPED).current().models[0]


@pytest.fixture
def films(model):
    """Two grey films."""
    return np.full((2, *model.film_input.shape), 128, np.uint8)


@pytest.fixture
def engine(repository):
    """An engine on the copy."""
    return OnnxRuntimeEngine(repository)


def test_a_graph_with_another_digest_is_not_served(engine, repository, model, films):
    """Another graph under the same name never answers in the model's name."""
    graph = repository / model.name / model.onnx
    graph.write_bytes(graph.read_bytes() + b"\0")
    with pytest.raises(ModelNotServed, match="manifest"):
        engine.infer(model, films)
    with pytest.raises(ModelNotServed):
        engine.check(model)


def test_a_missing_graph_is_not_served(engine, repository, model, films):
    """A manifest without its graph serves nothing."""
    (repository / model.name / model.onnx).unlink()
    with pytest.raises(ModelNotServed):
        engine.infer(model, films)


def test_a_broken_graph_fails(engine, repository, model, films):
    """A file that is no graph is told when it is loaded, in one line."""
    (repository / model.name / model.onnx).write_bytes(b"no graph")
    digest = hashlib.sha256(b"no graph").hexdigest()
    broken = replace(model, artefacts=(Artefact(model.onnx, digest, 8),))
    with pytest.raises(InferenceFailed, match="cannot be loaded") as failed:
        engine.infer(broken, films)
    assert "\n" not in failed.value.detail


def test_a_graph_that_gives_other_shapes_fails(engine, model, films):
    """The manifest, not the graph, decides what is accepted."""
    promised = replace(model.output("heatmaps"), shape=(1, 1, len(model.labels)))
    other = replace(model, outputs=(model.output("probabilities"), promised))
    with pytest.raises(InferenceFailed, match="promised"):
        engine.infer(other, films)


def test_a_graph_without_a_promised_output_fails(engine, model, films):
    """An output that the graph does not have is told by ONNX Runtime."""
    promised = replace(model.output("heatmaps"), name="saliency")
    other = replace(model, outputs=(model.output("probabilities"), promised))
    with pytest.raises(InferenceFailed, match="saliency"):
        engine.infer(other, films)


def test_loads_a_graph_once(engine, repository, model, films):
    """Threads that ask first at the same time get answers; afterwards the file is not read."""
    answers = []
    began = threading.Barrier(4)

    def ask() -> None:
        began.wait()
        answers.append(engine.infer(model, films).probabilities)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shutil.rmtree(repository)
    answers.append(engine.infer(model, films).probabilities)
    assert len(answers) == 5
    for answer in answers:
        np.testing.assert_array_equal(answer, answers[0])
