"""The listener's image, run by a stranger on a read-only root."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from hilum_stack.ports import reserve_port
from tests.images.containers import Run, run_to_end, running
from tests.images.test_worker import MODELS, WRONG_SETTINGS, settings
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from images.container_engine import ContainerEngine

    Built = Callable[[str], str]


def test_wrong_settings_end_it_for_good(engine: ContainerEngine, image: Built):
    """Without settings it ends with the code that says that no restart helps."""
    done = run_to_end(engine, Run(image("listener")))
    assert done.code == WRONG_SETTINGS
    assert "HILUM_DATABASE_URL" in done.error


def test_it_takes_connections_and_says_so(engine: ContainerEngine, image: Built, shared: Path):
    """Its health check succeeds once its processes listen."""
    mounts, port = {"/data": shared}, reserve_port()
    addresses = {
        **settings("onnx://"),
        "HILUM_LISTENER_HOST": "127.0.0.1",
        "HILUM_LISTENER_PORT": str(port),
    }
    for name, command in (
        ("engine", MODELS),
        ("cli", ("db", "upgrade")),
        ("cli", ("store", "prepare")),
    ):
        made = run_to_end(engine, Run(image(name), command, environment=addresses, mounts=mounts))
        assert made.code == 0, made.error
    run = Run(image("listener"), environment=addresses, mounts=mounts, network="host")
    with running(engine, run) as listener:
        wait_for(lambda: listener.health().code == 0, "the listener is ready")
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        assert listener.is_running, listener.logs()


def test_it_holds_what_it_needs_and_no_more(engine: ContainerEngine, image: Built):
    """No web server, no inference, no other service."""
    unwanted = ("fastapi", "onnxruntime", "tritonclient", "hilum_worker", "hilum_gateway")
    code = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    done = run_to_end(engine, Run(image("listener"), ("-c", code, *unwanted), "python3"))
    assert done.out.strip() == "[]"
