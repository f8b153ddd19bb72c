"""The gateway's image, run by a stranger on a read-only root."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import httpx
import pytest

from hilum_stack.ports import reserve_port
from tests.images.containers import Container, Run, run_to_end, running
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]

UNWANTED = ("tensorflow", "keras", "onnxruntime", "tritonclient", "pynetdicom", "hilum_worker")
SETTINGS = {
    "HILUM_DATABASE_URL": "sqlite:////data/hilum.db",
    "HILUM_OBJECT_STORE_URL": "file:///data/objects",
    "HILUM_BROKER_URL": "filesystem:///data/broker",
    "HILUM_MODEL_REPOSITORY": "/data/models",
    "HILUM_SESSION_SECRET": "of no worth, and long enough for one",
    "HILUM_HTTP_HOST": "127.0.0.1",
    "HILUM_METRICS_HOST": "127.0.0.1",
}


def answer(url: str) -> int | None:
    """The status, or None while nobody listens."""
    try:
        return httpx.get(url, timeout=5.0).status_code
    except httpx.TransportError:
        return None


@pytest.fixture
def port() -> int:
    return reserve_port()


@pytest.fixture
def metrics_port() -> int:
    return reserve_port()


@pytest.fixture
def gateway(
    engine: ContainerEngine, image: Built, shared: Path, port: int, metrics_port: int
) -> Iterator[Container]:
    """A gateway on SQLite and folders, whose tables the command's image made."""
    mounts = {"/data": shared}
    models = ("install", "--source", "/opt/hilum/model_repository", "--target", "cpu")
    for name, command in (
        ("cli", ("db", "upgrade")),
        ("cli", ("store", "prepare")),
        ("engine", (*models, "--out", "/data/models")),
    ):
        done = run_to_end(engine, Run(image(name), command, environment=SETTINGS, mounts=mounts))
        assert done.code == 0, done.error
    run = Run(
        image("gateway"),
        environment={
            **SETTINGS,
            "HILUM_HTTP_PORT": str(port),
            "HILUM_METRICS_PORT": str(metrics_port),
        },
        mounts=mounts,
        network="host",
    )
    with running(engine, run) as container:
        yield container


def test_the_gateway_answers_and_is_ready(gateway: Container, port: int, shared: Path):
    """Alive and ready on tables, a store and models that the other images made."""
    wait_for(lambda: answer(f"http://127.0.0.1:{port}/healthz") == 200, "the gateway answers")
    ready = httpx.get(f"http://127.0.0.1:{port}/readyz")
    assert ready.status_code == 200, ready.text
    with sqlite3.connect(shared / "hilum.db") as database:
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_metrics_have_a_port_of_their_own(gateway: Container, port: int, metrics_port: int):
    """The port of films shows them to nobody without a key."""
    wait_for(lambda: answer(f"http://127.0.0.1:{port}/healthz") == 200, "the gateway answers")
    assert answer(f"http://127.0.0.1:{metrics_port}/metrics") == 200
    assert answer(f"http://127.0.0.1:{port}/metrics") == 401


def test_the_health_check_passes_while_it_answers(gateway: Container):
    """What Docker runs beside it ends well once the gateway answers."""
    wait_for(lambda: gateway.health().code == 0, "the health check passes")


def test_the_health_check_fails_where_nobody_answers(engine: ContainerEngine, image: Built):
    """Without a gateway behind it the health check ends with 1 and says why."""
    done = run_to_end(engine, Run(image("gateway"), ("8080", "/healthz"), "hilum-health"))
    assert done.code == 1
    assert "refused" in done.error


def test_missing_settings_are_named(engine: ContainerEngine, image: Built):
    """Without settings it ends at once and lists the variables that it needs."""
    done = run_to_end(engine, Run(image("gateway")))
    assert done.code == 2
    assert "HILUM_DATABASE_URL: Field required" in done.error


@pytest.mark.parametrize("package", UNWANTED)
def test_the_gateway_holds_only_what_it_needs(engine: ContainerEngine, image: Built, package: str):
    """No TensorFlow, no inference engine, no DICOM network: not installed and not lying about."""
    script = f"import importlib.util as u, sys; sys.exit(u.find_spec({package!r}) is not None)"
    assert run_to_end(engine, Run(image("gateway"), ("-c", script), "python3")).code == 0
    listed = run_to_end(
        engine, Run(image("gateway"), ("/", "-xdev", "-iname", f"*{package}*"), "find")
    )
    assert listed.out == ""
