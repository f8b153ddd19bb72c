"""Graphs that are not what their manifest says."""

from __future__ import annotations

import hashlib
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest

from hilum.adapters.inference.onnx_runtime import OnnxRuntimeEngine
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.application.analysis.pipeline import analyse
from hilum.domain.errors import InferenceFailed, ModelNotServed
from hilum.domain.model import Artefact
from hilum.imaging.film import Film, FilmHeader
from hilum.imaging.phantom import phantom_film
from tests.grey_networks import PANELS, write_grey_repository


@pytest.fixture
def repository(tmp_path):
    """Small networks, to spoil."""
    return write_grey_repository(tmp_path / "models")


@pytest.fixture
def models(repository):
    """What lies in it."""
    return FilesystemModelCatalogue(repository).current()


@pytest.fixture
def model(models):
    """One of them, with several panels."""
    found, _ = models.panel("pneumonia")
    return found


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


def other_output(model, **changes: object):
    """The model with another promise in the place of its last output."""
    last = replace(model.outputs[-1], **changes)
    return replace(model, outputs=(*model.outputs[:-1], last))


def test_a_graph_that_gives_other_shapes_fails(engine, model, films):
    """The manifest, not the graph, decides what is accepted."""
    _, _, labels = model.outputs[-1].shape
    with pytest.raises(InferenceFailed, match="promised"):
        engine.infer(other_output(model, shape=(1, 1, labels)), films)


def test_a_graph_that_gives_another_type_fails(engine, model, films):
    """As much."""
    with pytest.raises(InferenceFailed, match="promised"):
        engine.infer(other_output(model, dtype="float64"), films)


def test_a_graph_without_a_promised_output_fails(engine, model, films):
    """An output that the graph does not have is told by ONNX Runtime."""
    with pytest.raises(InferenceFailed, match="saliency"):
        engine.infer(other_output(model, name="saliency"), films)


def test_the_gate_alone_is_run_for_a_film_that_it_stops(engine, models, repository):
    """What lies behind it is not even loaded."""
    for name in ("chest", "lungs"):
        (repository / name / "1" / "model.onnx").unlink()
    white = Film(np.full((300, 300), 250, np.uint8), FilmHeader("image/png"))
    assert not analyse(white, models, engine).passed
    grey = Film(np.full((300, 300), 100, np.uint8), FilmHeader("image/png"))
    with pytest.raises(ModelNotServed):
        analyse(grey, models, engine)


def test_a_film_is_resampled_once_and_each_model_run_once(engine, models, monkeypatch):
    """All of them take the same tensor; four panels come from one run."""
    runs, inputs = [], []
    infer = engine.infer

    def counted(model, films):
        runs.append(model.name)
        inputs.append(films)
        return infer(model, films)

    monkeypatch.setattr(engine, "infer", counted)
    read = analyse(Film(phantom_film(512, 450, 1), FilmHeader("image/png")), models, engine)
    assert sorted(runs) == ["chest", "gate", "lungs"]
    assert all(films is inputs[0] for films in inputs)
    assert [panel.panel for panel in read.panels] == list(PANELS)
    assert read.structures[0].cardiothoracic.value is not None


def test_loads_a_graph_once(engine, repository, model, films):
    """Threads that ask first at the same time get answers; afterwards the file is not read."""
    answers = []
    began = threading.Barrier(4)

    def ask() -> None:
        began.wait()
        answers.append(engine.infer(model, films)["pneumonia_probabilities"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shutil.rmtree(repository)
    answers.append(engine.infer(model, films)["pneumonia_probabilities"])
    assert len(answers) == 5
    for answer in answers:
        np.testing.assert_array_equal(answer, answers[0])
