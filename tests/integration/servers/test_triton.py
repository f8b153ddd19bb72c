"""Triton as the stack runs it, with a small model of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from hilum_stack.errors import ProcessFailed
from hilum_stack.triton import TritonServer
from tests.servers import run_folder, started

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real

CONFIG = """
name: "inverted"
backend: "python"
max_batch_size: 8
input [ { name: "film" data_type: TYPE_UINT8 dims: [ 4, 4, 1 ] } ]
output [ { name: "negative" data_type: TYPE_UINT8 dims: [ 4, 4, 1 ] } ]
dynamic_batching { }
"""

MODEL = """
import os
import sys

sys.path.insert(0, os.environ["HILUM_TRITON_SITE_PACKAGES"])
import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        if not np.__file__.startswith(os.environ["HILUM_TRITON_SITE_PACKAGES"]):
            raise RuntimeError("numpy came from " + np.__file__)
        if "CPUExecutionProvider" not in onnxruntime.get_available_providers():
            raise RuntimeError("ONNX Runtime does not run")

    def execute(self, requests):
        films = [pb_utils.get_input_tensor_by_name(r, "film").as_numpy() for r in requests]
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor("negative", 255 - film)])
            for film in films
        ]
"""


def write_model(repository: Path, model: str = MODEL) -> Path:
    folder = repository / "inverted"
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(CONFIG)
    (folder / "1" / "model.py").write_text(model)
    # What training writes beside a model: Triton has to overlook it.
    for name in ("manifest.json", "MODEL_CARD.md", "labels.txt"):
        (folder / name).write_text("{}")
    (repository / "README.md").write_text("# Models\n")
    return repository


@pytest.fixture(scope="module")
def server() -> Iterator[TritonServer]:
    """A Triton of this module's own: its tests stop and kill it."""
    with run_folder() as folder, started(TritonServer, write_model(folder)) as triton:
        yield triton


def infer(server: TritonServer, film: np.ndarray) -> np.ndarray:
    with InferenceServerClient(server.grpc_endpoint) as client:
        tensor = InferInput("film", list(film.shape), "UINT8")
        tensor.set_data_from_numpy(film)
        answer = client.infer("inverted", [tensor], client_timeout=60.0)
        return np.asarray(answer.as_numpy("negative"))


def shared_memory(server: TritonServer) -> list[Path]:
    return list(Path("/dev/shm").glob(f"hilum_triton_{server.http_port}_*"))  # noqa: S108 - kernel's


def film_of(value: int) -> np.ndarray:
    return np.full((1, 4, 4, 1), value, dtype=np.uint8)


def test_it_runs_a_python_model_with_its_own_packages(server: TritonServer) -> None:
    """A model imports numpy and ONNX Runtime from Triton's environment and answers over gRPC."""
    assert np.array_equal(infer(server, film_of(200)), film_of(55))


def test_it_listens_on_loopback_only(server: TritonServer) -> None:
    """HTTP, gRPC and metrics are closed to the network."""
    listening = {
        connection.laddr
        for connection in psutil.Process(server.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    # gRPC binds through an IPv6 socket, which names the same address in its mapped form.
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == {
        server.http_port,
        server.grpc_port,
        server.metrics_port,
    }


def test_a_killed_server_comes_back_on_its_address(server: TritonServer) -> None:
    """Down: an error. Up again at the same address: answers. Nothing is left of the first."""
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    assert len(family) > 1, "the model's interpreter is a process of its own"
    server.kill()
    assert not any(member.is_running() for member in family)
    with pytest.raises(InferenceServerException, match="UNAVAILABLE"):
        infer(server, film_of(1))
    server.restart()
    assert np.array_equal(infer(server, film_of(1)), film_of(254))


def test_stop_leaves_no_process_and_no_shared_memory(server: TritonServer) -> None:
    """The interpreters of the models and their shared memory go with the server."""
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    assert shared_memory(server)
    server.stop()
    assert not any(member.is_running() for member in family)
    assert not shared_memory(server)
    server.restart()


def test_it_does_not_write_into_the_model_repository(server: TritonServer) -> None:
    """Only training writes model_repository/: no byte code appears there."""
    written = sorted(
        str(path.relative_to(server.model_repository))
        for path in (server.model_repository / "inverted" / "1").rglob("*")
    )
    assert written == ["inverted/1/model.py"]


def test_a_broken_model_is_told_at_the_start(server: TritonServer, tmp_path: Path) -> None:
    """A model that cannot be loaded stops the start; its reason is in the error."""
    write_model(tmp_path / "models", MODEL.replace("import onnxruntime", "import no_such_package"))
    with pytest.raises(ProcessFailed, match="no_such_package"):
        TritonServer.start(tmp_path / "run", tmp_path / "models")
