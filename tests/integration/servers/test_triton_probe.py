"""``hilum-triton-probe`` beside a real Triton that serves right, wrong, and not at all."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hilum_engine.main import main as engine
from hilum_stack.ports import reserve_port
from hilum_stack.process import Command, SupervisedProcess
from hilum_stack.triton import TritonServer
from tests.servers import run_folder, started
from tests.small_networks import small_repository
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with run_folder() as made:
        small_repository(made / "published", made)
        source, out = str(made / "published"), str(made / "models")
        assert engine(["install", "--source", source, "--target", "cpu", "--out", out]) == 0
        yield made


@pytest.fixture(scope="module")
def triton(folder: Path) -> Iterator[TritonServer]:
    with started(TritonServer, folder / "models") as server:
        yield server


@pytest.fixture(scope="module")
def probe(folder: Path, triton: TritonServer) -> Iterator[Callable[[str], int]]:
    """Ask the process for a status; it runs over all tests, as it does over Triton's restarts."""
    port = reserve_port()
    command = Command(
        "triton-probe",
        (
            *(sys.executable, "-m", "hilum_triton_probe.main"),
            *("--triton", triton.url, "--models", str(folder / "models")),
            *("--host", "127.0.0.1", "--port", str(port), "--every", "0.2"),
        ),
        folder / "triton-probe.log",
        env={name: value for name, value in os.environ.items() if not name.startswith("HILUM_")},
    )

    def status(path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    with SupervisedProcess(command) as process:
        process.wait_ready(lambda: status("/alive") == 200)
        yield status


def changed(folder: Path, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Path:
    """The installed models, with other weights in the graph of the chest network."""
    target = shutil.copytree(folder / "models", folder / "broken", dirs_exist_ok=True)
    path = target / "chest/1/model.onnx"
    graph = onnx.load(folder / "models/chest/1/model.onnx")
    for weights in graph.graph.initializer:
        values = change(numpy_helper.to_array(weights).copy())
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float32), weights.name))
    onnx.save(graph, path)
    return target


def serve(triton: TritonServer, models: Path) -> None:
    triton.stop()
    triton.model_repository = models
    triton.launch()


def test_a_triton_that_answers_rightly_is_ready(probe):
    """And alive."""
    wait_for(lambda: probe("/ready") == 200, "ready")
    assert probe("/alive") == 200


@pytest.mark.parametrize(
    "change",
    [np.zeros_like, lambda weights: weights * np.nan, lambda weights: weights * 1.1],
    ids=["zeros", "NaN", "a little off"],
)
def test_a_triton_that_says_it_is_ready_and_answers_wrongly_is_found(probe, triton, folder, change):
    """It is sent no films, and after three runs it is to be restarted; then all is well."""
    serve(triton, changed(folder, change))
    connection = http.client.HTTPConnection("127.0.0.1", triton.http_port)
    connection.request("GET", "/v2/health/ready")
    assert connection.getresponse().status == 200, "Triton notices nothing"
    connection.close()
    wait_for(lambda: probe("/alive") == 503, "three wrong answers")
    assert probe("/ready") == 503
    serve(triton, folder / "models")
    wait_for(lambda: probe("/ready") == 200, "ready again")
    assert probe("/alive") == 200


def test_a_triton_that_is_down_is_not_ready(probe, triton, folder):
    """Its own probes see to the rest."""
    triton.kill()
    wait_for(lambda: probe("/ready") == 503, "not ready")
    assert probe("/alive") == 200
    triton.launch()
    wait_for(lambda: probe("/ready") == 200, "ready again")
    lines = [json.loads(line) for line in (folder / "triton-probe.log").read_text().splitlines()]
    assert any(line.get("reason", "").startswith("inference_unavailable") for line in lines)
