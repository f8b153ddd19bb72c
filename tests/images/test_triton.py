"""Triton's image for CPUs, run by a stranger on a read-only root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from hilum_stack.ports import reserve_port
from tests.images.containers import Container, Run, running
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

LOOPBACK = "127.0.0.1"


def triton_command(http: int, grpc: int) -> tuple[str, ...]:
    """Triton on free ports of the loopback address, with the models of its image."""
    return (
        "tritonserver",
        "--model-repository=/models",
        "--strict-readiness=true",
        "--exit-on-error=true",
        f"--http-address={LOOPBACK}",
        f"--http-port={http}",
        f"--grpc-address={LOOPBACK}",
        f"--grpc-port={grpc}",
        "--allow-metrics=false",
    )


def is_ready(http: int) -> bool:
    """Whether Triton says that it serves every model."""
    try:
        return (
            httpx.get(f"http://{LOOPBACK}:{http}/v2/health/ready", timeout=5.0).status_code == 200
        )
    except httpx.TransportError:
        return False


@pytest.fixture
def port() -> int:
    return reserve_port()


@pytest.fixture
def triton(engine: ContainerEngine, image: Built, port: int) -> Iterator[Container]:
    run = Run(image("triton"), triton_command(port, reserve_port()), network="host")
    with running(engine, run) as container:
        yield container


def test_it_serves_the_models_it_carries(triton: Container, port: int):
    """Every model and the ensemble of them is loaded on a CPU, without a volume."""
    wait_for(lambda: is_ready(port) or not triton.is_running, "Triton is ready")
    assert triton.is_running, triton.logs()
    listed = httpx.post(f"http://{LOOPBACK}:{port}/v2/repository/index").json()
    states = {model["name"]: model["state"] for model in listed}
    assert states.keys() >= {"gate", "lungs", "chest", "hilum"}
    assert set(states.values()) == {"READY"}
