"""One real stack for all fault tests; each leaves it whole."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from hilum_stack.errors import ServerMissing
from hilum_stack.real import RealStack
from tests.grey_networks import write_grey_repository
from tests.integration.faults.ledger import Ledger
from tests.integration.faults.sender import Sender
from tests.servers import run_folder, server_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hilum_stack.server import Server

# Short leases and pauses, so that what takes a minute in production takes seconds here.
_HASTE = {
    "HILUM_QUEUE_LEASE_SECONDS": "4",
    "HILUM_QUEUE_RECONCILE_SECONDS": "1",
    "HILUM_QUEUE_BACKOFF_BASE_SECONDS": "0.5",
    "HILUM_QUEUE_BACKOFF_CAP_SECONDS": "2",
    "HILUM_QUEUE_MAX_ATTEMPTS": "100",
}


class PatientStack(RealStack):
    """Its workers wait long for a frozen Triton: no outage, however slow the machine is."""

    def _addresses(self) -> dict[str, str]:
        return {
            **super()._addresses(),
            "HILUM_INFERENCE_URL": f"{self.triton.url}?deadline=120",
        }


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[RealStack]:
    """PostgreSQL, Redis, MinIO, Triton, a gateway and two workers.

    A module may set the environment of its own workers as ``ENVIRONMENT``.
    """
    env = {**_HASTE, **getattr(request.module, "ENVIRONMENT", {})}
    with run_folder() as folder:
        # Models that let the phantoms of these tests through, whatever is shipped.
        models = write_grey_repository(folder / "models")
        running = PatientStack(folder / "run", workers=2, env=env, model_repository=models)
        try:
            running.start()
        except ServerMissing as missing:
            server_missing(missing)
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture
def ledger(stack: RealStack) -> Ledger:
    """What the servers hold."""
    return Ledger(stack)


@pytest.fixture
def sender(stack: RealStack) -> Iterator[Sender]:
    """A program that sends films."""
    made = Sender(stack)
    yield made
    made.client.close()


@pytest.fixture
def frozen() -> Callable[[Server], AbstractContextManager[None]]:
    """Freezes a server with all its children, so that whoever calls it hangs."""

    @contextmanager
    def freeze(server: Server) -> Iterator[None]:
        root = psutil.Process(server.pid)
        tree = [root, *root.children(recursive=True)]
        for process in tree:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in tree:
                if process.is_running():
                    process.send_signal(signal.SIGCONT)

    return freeze
