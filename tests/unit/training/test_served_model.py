"""The Triton model's batching and its errors, with the module that Triton provides stood in for.

The same file inside a real Triton server is tested with the stack.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hilum.imaging.golden_films import golden_films
from hilum_training.export.parity import onnx_runtime
from tests.small_networks import SIZE, small_network

OUTPUTS = ["tuberculosis_probabilities", "tuberculosis_heatmaps"]
CONFIG = {
    "parameters": {
        "intra_op_threads": {"string_value": "1"},
        "graph": {"string_value": "model.onnx"},
    },
    "input": [{"name": "film", "dims": [str(SIZE), str(SIZE), "1"]}],
    "output": [{"name": name} for name in OUTPUTS],
}


@dataclass
class Tensor:
    """As ``pb_utils.Tensor``."""

    name: str
    value: Any

    def as_numpy(self):
        return self.value


@dataclass
class Response:
    """As ``pb_utils.InferenceResponse``."""

    output_tensors: list[Tensor] = field(default_factory=list)
    error: str | None = None

    def array(self, name):
        return next(tensor.value for tensor in self.output_tensors if tensor.name == name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A published network, in two versions."""
    home = tmp_path_factory.mktemp("served")
    small_network("chest", home).publish(home / "models")
    small_network("chest", home, version="0.2.0", seed=1).publish(home / "models")
    return home / "models/chest"


def arguments(folder, version="1"):
    return {
        "model_config": json.dumps(CONFIG),
        "model_repository": str(folder),
        "model_version": version,
    }


@pytest.fixture
def model(monkeypatch, folder):
    """The served model, initialised on the first version's graph."""
    triton = ModuleType("triton_python_backend_utils")
    triton.Tensor = Tensor
    triton.InferenceResponse = Response
    triton.TritonError = str
    triton.get_input_tensor_by_name = lambda request, name: request.get(name)
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", triton)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # nothing is left in the repository
    specification = importlib.util.spec_from_file_location("served_model", folder / "1/model.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    served = module.TritonPythonModel()
    served.initialize(arguments(folder))
    return served


def request(films):
    return {"film": Tensor("film", films)}


FILMS = golden_films(SIZE)


def test_requests_of_different_sizes_each_get_their_own_films_back(model, folder):
    """Three requests become one run, and its answers are divided as the films were."""
    parts = [FILMS[:1], FILMS[1:4], FILMS[4:6]]
    responses = model.execute([request(part) for part in parts])
    runtime = onnx_runtime(folder / "1/model.onnx")
    for part, response in zip(parts, responses, strict=True):
        expected = runtime(part)
        assert [tensor.name for tensor in response.output_tensors] == OUTPUTS
        for name in OUTPUTS:
            assert np.allclose(response.array(name), expected[name], atol=1e-5)


def test_a_version_answers_with_the_graph_of_its_own_folder(model, folder):
    """Two versions beside one another give two answers."""
    first = model.execute([request(FILMS[5:6])])[0].array(OUTPUTS[0])
    model.initialize(arguments(folder, "2"))
    second = model.execute([request(FILMS[5:6])])[0].array(OUTPUTS[0])
    assert not np.allclose(first, second, atol=1e-3)
    expected = onnx_runtime(folder / "2/model.onnx")(FILMS[5:6])
    assert np.allclose(second, expected[OUTPUTS[0]], atol=1e-5)


@pytest.mark.parametrize(
    "bad",
    [{}, request(FILMS[:, :10]), request(FILMS.astype(np.float32))],
    ids=["no film", "wrong shape", "wrong type"],
)
def test_a_bad_request_fails_alone(model, bad):
    """Its neighbours in the batch are answered."""
    first, failed, last = model.execute([request(FILMS[:1]), bad, request(FILMS[:1])])
    assert "film" in failed.error
    assert not failed.output_tensors
    assert first.error is last.error is None
    assert np.array_equal(first.array(OUTPUTS[0]), last.array(OUTPUTS[0]))


def test_a_batch_of_bad_requests_is_answered_with_errors(model):
    """Nothing to run is no exception."""
    assert [bool(response.error) for response in model.execute([{}, {}])] == [True, True]


def test_a_failing_run_fails_every_request_of_the_batch_with_its_reason(model, monkeypatch):
    """What ONNX Runtime says reaches each client; the server goes on."""

    class Broken:
        def run(self, _names, _films):
            raise RuntimeError("out of memory")

    monkeypatch.setattr(model, "_session", Broken())
    responses = model.execute([request(FILMS[:1]), request(FILMS[:2])])
    assert ["out of memory" in response.error for response in responses] == [True, True]


def test_threads_can_be_set_from_the_environment(model, folder, monkeypatch):
    """The operator's number wins over the configuration's, and a wrong one stops the start."""
    monkeypatch.setenv("HILUM_TRITON_INTRA_OP_THREADS", "many")
    with pytest.raises(ValueError, match="many"):
        model.initialize(arguments(folder))


def test_the_named_packages_come_first_on_the_path(model, folder, monkeypatch, tmp_path):
    """Triton's interpreter finds numpy and ONNX Runtime where the environment says."""
    monkeypatch.setenv("HILUM_TRITON_SITE_PACKAGES", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    specification = importlib.util.spec_from_file_location("served_again", folder / "1/model.py")
    specification.loader.exec_module(importlib.util.module_from_spec(specification))
    assert sys.path[0] == str(tmp_path)
