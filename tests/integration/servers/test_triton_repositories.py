"""Rendered repositories in a real Triton: networks, versions, the ensemble, and the GPU targets.

There is no GPU here and no backend for one. Triton then says of a configuration that it could read
"unable to find backend library", and of one that it could not read "failed to poll": the difference
is what the tests of the GPU targets rest on.
"""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput

from hilum.imaging.golden_films import golden_films
from hilum.serving.installed import read_installed
from hilum.serving.repository import Rendering, render_repository
from hilum.serving.target import Target
from hilum_stack.errors import ServerMissing
from hilum_stack.triton import TritonServer
from hilum_training.export.parity import check_parity, onnx_runtime
from tests.servers import MODEL_REPOSITORY, run_folder, server_missing, started
from tests.small_networks import PANELS, SIZE, small_network, small_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real
FILMS = golden_films(SIZE)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Three networks, one of them in two versions, and their ensemble."""
    folder = tmp_path_factory.mktemp("published")
    small_repository(folder / "models", folder)
    small_network("chest", folder, version="0.2.0", seed=5).publish(folder / "models")
    return folder / "models"


@pytest.fixture(scope="module")
def server(source: Path) -> Iterator[TritonServer]:
    """A Triton that serves what was rendered for a CPU."""
    with run_folder() as folder:
        render_repository(source, folder, {name: Rendering(Target.CPU) for name in PANELS})
        with started(TritonServer, folder) as triton:
            yield triton


def ask(server, model, films, outputs=(), version=""):
    """The outputs by name; all of them where none is named."""
    with InferenceServerClient(server.grpc_endpoint) as client:
        tensor = InferInput("film", list(films.shape), "UINT8")
        tensor.set_data_from_numpy(films)
        answer = client.infer(
            model,
            [tensor],
            model_version=version,
            outputs=[InferRequestedOutput(name) for name in outputs] or None,
            client_timeout=60.0,
        )
        names = [output.name for output in answer.get_response().outputs]
        return {name: answer.as_numpy(name) for name in names}


def executions(server, model):
    """How often a model ran, warm-up included."""
    with InferenceServerClient(server.grpc_endpoint) as client:
        statistics = client.get_inference_statistics(model, as_json=True)
    return sum(int(row.get("execution_count", 0)) for row in statistics["model_stats"])


def expected(source, name, version, films):
    return onnx_runtime(source / name / str(version) / "model.onnx")(films)


@pytest.mark.parametrize(
    ("name", "version"), [("gate", 1), ("chest", 1), ("chest", 2), ("lungs", 1)]
)
def test_every_version_of_every_network_answers_with_its_own_graph(server, source, name, version):
    """Alone and in a batch, each output is what ONNX Runtime makes of that version's graph."""
    check_parity(
        expected(source, name, version, FILMS),
        lambda films: ask(server, name, films, version=str(version)),
        FILMS,
        "Triton",
    )


def test_one_request_to_the_ensemble_gives_every_reading(server, source):
    """All outputs of the newest version of each network come back from one request."""
    wanted = {}
    for name, version in (("gate", 1), ("chest", 2), ("lungs", 1)):
        wanted.update(expected(source, name, version, FILMS))
    check_parity(wanted, lambda films: ask(server, "hilum", films), FILMS, "ensemble")


def test_the_ensemble_runs_only_what_is_asked_for(server):
    """Who asks the gate alone does not pay for the other networks."""
    before = {name: executions(server, name) for name in PANELS}
    answer = ask(server, "hilum", FILMS[:1], outputs=["gate_probabilities"])
    after = {name: executions(server, name) for name in PANELS}
    assert answer.keys() == {"gate_probabilities"}
    assert after["gate"] == before["gate"] + 1
    assert (after["chest"], after["lungs"]) == (before["chest"], before["lungs"])


def test_a_film_of_another_size_is_refused_and_the_next_one_is_read(server):
    """A wrong request fails by itself."""
    with pytest.raises(Exception, match="shape"):
        ask(server, "gate", np.zeros((1, SIZE, SIZE + 1, 1), np.uint8))
    assert ask(server, "gate", FILMS[:1])["gate_probabilities"].shape == (1, 3)


def test_the_shipped_ensemble_answers_as_the_shipped_graphs_do(triton_server):
    """What is committed, as Triton serves it, against ONNX Runtime on the golden films."""
    models = read_installed(MODEL_REPOSITORY)
    films = golden_films(models[0].newest.film_input.shape[0])
    wanted = {}
    for model in models:
        wanted.update(onnx_runtime(model.folder / model.newest.onnx)(films))
    check_parity(wanted, lambda some: ask(triton_server, "hilum", some), films, "ensemble")


@pytest.fixture(
    scope="module",
    params=[
        (target, repository)
        for target in (Target.GPU_ONNXRUNTIME, Target.GPU_TENSORRT)
        for repository in ("small", "shipped")
    ],
    ids=lambda param: f"{param[1]}-{param[0]}",
)
def gpu_server(request, source: Path, tmp_path_factory) -> Iterator[tuple[TritonServer, str]]:
    """A Triton over what was rendered for a GPU, which loads what it is asked to load."""
    target, repository = request.param
    plan = tmp_path_factory.mktemp("plan") / "model.plan"
    plan.write_bytes(b"never read: the backend is missing")
    backend = {"gpu-onnxruntime": "onnxruntime", "gpu-tensorrt": "tensorrt"}[target]
    with run_folder() as folder:
        plans = {1: plan, 2: plan}
        origin = source if repository == "small" else MODEL_REPOSITORY
        render_repository(origin, folder, {name: Rendering(target, plans) for name in PANELS})
        write_unreadable(folder)
        try:
            server = TritonServer(folder, folder, model_control="explicit").launch()
        except ServerMissing as missing:
            server_missing(missing)
        try:
            yield server, backend
        finally:
            server.stop()


def write_unreadable(repository: Path) -> None:
    """The gate once more, with one field's name misspelt."""
    folder = repository / "unreadable"
    (folder / "1").mkdir(parents=True)
    text = (repository / "gate/config.pbtxt").read_text()
    wrong = text.replace('"gate"', '"unreadable"').replace("preferred_batch", "prefered_batch")
    (folder / "config.pbtxt").write_text(wrong)


def load(server, model):
    """Ask Triton to load a model; its answer's status and error."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    try:
        connection.request("POST", f"/v2/repository/models/{model}/load")
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"{}").get("error", "")
    finally:
        connection.close()


@pytest.mark.parametrize("name", list(PANELS))
def test_triton_reads_the_gpu_configurations_and_lacks_only_the_backend(gpu_server, name):
    """Parsed and checked; what is missing is named, and it is not ours."""
    server, backend = gpu_server
    status, error = load(server, name)
    assert status == http.client.BAD_REQUEST
    assert f"unable to find backend library for backend '{backend}'" in error


def test_triton_reads_the_ensemble_of_a_gpu_repository(gpu_server):
    """It fails for its members alone, each in the version that it is pinned to."""
    server, backend = gpu_server
    status, error = load(server, "hilum")
    assert status == http.client.BAD_REQUEST
    assert "depends on" in error
    assert backend in error


def test_a_configuration_that_cannot_be_read_is_told_apart(gpu_server):
    """The counter-proof: one misspelt field, and Triton's answer is another one."""
    server, _ = gpu_server
    status, error = load(server, "unreadable")
    assert status == http.client.INTERNAL_SERVER_ERROR
    assert "failed to poll" in error
