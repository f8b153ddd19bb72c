"""The worker's image, run by a stranger on a read-only root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum_stack.ports import reserve_port
from tests.images.containers import Run, run_to_end, running
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

WRONG_SETTINGS = 78
MODELS = (
    "install",
    "--source",
    "/opt/hilum/model_repository",
    "--target",
    "cpu",
    "--out",
    "/data/models",
)


def settings(inference: str) -> dict[str, str]:
    """Addresses of a worker whose database, store and queue are in one folder."""
    return {
        "HILUM_DATABASE_URL": "sqlite:////data/hilum.db",
        "HILUM_OBJECT_STORE_URL": "file:///data/objects",
        "HILUM_BROKER_URL": "filesystem:///data/broker",
        "HILUM_INFERENCE_URL": inference,
        "HILUM_MODEL_REPOSITORY": "/data/models",
        "HILUM_METRICS_HOST": "127.0.0.1",
        "HILUM_METRICS_PORT": str(reserve_port()),
    }


def test_wrong_settings_end_it_for_good(engine: ContainerEngine, image: Built):
    """Without settings it ends with the code that says that no restart helps."""
    done = run_to_end(engine, Run(image("worker")))
    assert done.code == WRONG_SETTINGS
    assert "HILUM_DATABASE_URL" in done.error


def test_an_engine_that_the_image_lacks_ends_it(
    engine: ContainerEngine, image: Built, shared: Path
):
    """It holds no ONNX Runtime: asked for one it ends with 78 instead of failing film by film."""
    installed = run_to_end(engine, Run(image("engine"), MODELS, mounts={"/data": shared}))
    assert installed.code == 0, installed.error
    run = Run(image("worker"), environment=settings("onnx://"), mounts={"/data": shared})
    done = run_to_end(engine, run)
    assert done.code == WRONG_SETTINGS
    assert "onnxruntime" in done.error


def test_it_outlives_a_triton_that_is_not_there(
    engine: ContainerEngine, image: Built, shared: Path
):
    """With nobody at Triton's address it runs, answers its health check, and goes on waiting."""
    mounts = {"/data": shared}
    addresses = settings(f"triton://127.0.0.1:{reserve_port()}")
    for name, command in (
        ("engine", MODELS),
        ("cli", ("db", "upgrade")),
        ("cli", ("store", "prepare")),
    ):
        made = run_to_end(engine, Run(image(name), command, environment=addresses, mounts=mounts))
        assert made.code == 0, made.error
    run = Run(image("worker"), environment=addresses, mounts=mounts, network="host")
    with running(engine, run) as worker:
        wait_for(lambda: worker.health().code == 0, "the worker's metrics answer")
        assert worker.is_running, worker.logs()
