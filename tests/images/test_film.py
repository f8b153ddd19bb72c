"""A film through the images: sent by one, read by three more."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import httpx
import pytest

from hilum.imaging.phantom import phantom_png
from hilum_stack.ports import reserve_port
from tests.images.containers import Run, run_to_end, running
from tests.images.test_triton import LOOPBACK, is_ready, triton_command
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]


@pytest.fixture
def settings() -> dict[str, str]:
    """Every process of an installation in one folder, on free ports."""
    gateway, triton = reserve_port(), reserve_port()
    return {
        "HILUM_DATABASE_URL": "sqlite:////data/hilum.db",
        "HILUM_OBJECT_STORE_URL": "file:///data/objects",
        "HILUM_BROKER_URL": "filesystem:///data/broker",
        "HILUM_MODEL_REPOSITORY": "/data/models",
        "HILUM_INFERENCE_URL": f"triton://{LOOPBACK}:{triton}",
        "HILUM_SESSION_SECRET": "of no worth, and long enough for one",
        "HILUM_HTTP_HOST": LOOPBACK,
        "HILUM_HTTP_PORT": str(gateway),
        "HILUM_API_URL": f"http://{LOOPBACK}:{gateway}",
        "HILUM_METRICS_HOST": LOOPBACK,
    }


@pytest.fixture
def installation(
    engine: ContainerEngine, image: Built, shared: Path, settings: dict[str, str]
) -> Iterator[Callable[..., str]]:
    """Gateway, worker and Triton; gives what runs a command of the cli beside them."""
    mounts = {"/data": shared}

    def command(name: str, *words: str, **more: str) -> str:
        environment = {**settings, **more}
        run = Run(image(name), words, environment=environment, mounts=mounts, network="host")
        done = run_to_end(engine, run)
        assert done.code == 0, done.out + done.error
        return done.out

    source = ("--source", "/opt/hilum/model_repository", "--target", "cpu")
    command("engine", "install", *source, "--out", "/data/models")
    command("cli", "db", "upgrade")
    command("cli", "store", "prepare")
    http, grpc = reserve_port(), int(settings["HILUM_INFERENCE_URL"].rpartition(":")[2])
    triton = Run(image("triton"), triton_command(http, grpc), network="host")
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(engine, triton))
        for name in ("gateway", "worker"):
            own = {**settings, "HILUM_METRICS_PORT": str(reserve_port())}
            run = Run(image(name), environment=own, mounts=mounts, network="host")
            stack.enter_context(running(engine, run))
        wait_for(lambda: is_ready(http), "Triton is ready")
        wait_for(lambda: gateway_is_ready(settings["HILUM_API_URL"]), "the gateway is ready")
        yield command


def gateway_is_ready(url: str) -> bool:
    """Whether films are accepted."""
    try:
        return httpx.get(f"{url}/readyz", timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False


def test_a_film_is_read_by_the_images(installation: Callable[..., str], shared: Path):
    """The command sends a phantom, the worker has Triton read it, and findings come back."""
    (shared / "phantom.png").write_bytes(phantom_png())
    key = installation("cli", "keys", "create", "--role", "admin", "--name", "images").strip()
    told = installation("cli", "analyse", "/data/phantom.png", "--json", HILUM_API_KEY=key)
    (film,) = json.loads(told)["films"]
    assert film["state"] == "completed", told
    assert film["job"]["result"], told
