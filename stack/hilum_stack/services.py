"""The gateway, the workers and the administration command, run as a person would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from hilum_stack.errors import ProcessFailed
from hilum_stack.health import is_healthy
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.process import Command
from hilum_stack.server import Server, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum_stack.pacs import Pacs

PORT_VARIABLE: Final = "HILUM_PORT"


class Gateway(Server):
    """One ``python -m hilum_gateway``; ready when its ``/readyz`` says so."""

    name = "gateway"
    ready_within_s: ClassVar[float] = 120.0

    def __init__(self, folder: Path, env: Mapping[str, str], port: int) -> None:
        """Prepares a gateway.

        Args:
            folder: Holds its log.
            env: Its settings, laid over our own environment.
            port: Where it listens, on 127.0.0.1.
        """
        super().__init__(folder)
        self.port = port
        self.env = {**env, "HILUM_HTTP_HOST": LOOPBACK, "HILUM_HTTP_PORT": str(port)}
        self._secure = "HILUM_TLS_CERTIFICATE" in self.env

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``; ``https`` with a certificate."""
        return f"http{'s' if self._secure else ''}://{LOOPBACK}:{self.port}"

    def _command(self) -> Command:
        return _python("hilum_gateway", self, self.env)

    def _ready(self) -> bool:
        authority = Path(self.env["SSL_CERT_FILE"]) if self._secure else None
        return is_healthy(self.port, "/readyz", authority)


class Worker(Server):
    """One ``python -m hilum_worker``; ready when it consumes."""

    ready_within_s: ClassVar[float] = 120.0

    def __init__(self, folder: Path, env: Mapping[str, str], number: int) -> None:
        """Prepares a worker.

        Args:
            folder: Holds its log.
            env: Its settings, laid over our own environment.
            number: Distinguishes the workers of one stack.
        """
        super().__init__(folder)
        self.name = f"worker-{number}"
        # The worker touches it when it starts to consume.
        self._ready_file = self.folder / f"{self.name}.ready"
        self.env = {**env, "HILUM_WORKER_READY_FILE": str(self._ready_file)}

    def _command(self) -> Command:
        self._ready_file.unlink(missing_ok=True)
        # It finishes the jobs that it holds before it ends.
        return _python("hilum_worker", self, self.env, stop_grace_s=60.0)

    def _ready(self) -> bool:
        return self._ready_file.exists()


class Listener(Server):
    """One ``python -m hilum_listener``; ready when every process of it takes associations.

    Attributes:
        dicom_port: Where it takes associations, on 127.0.0.1.
        metrics_port: Of its metrics and probes.
    """

    name = "listener"
    ready_within_s: ClassVar[float] = 120.0

    def __init__(self, folder: Path, env: Mapping[str, str], port: int | None = None) -> None:
        """Prepare a listener.

        Args:
            folder: Holds its log.
            env: Its settings, laid over our own environment.
            port: Where it takes associations; None takes a free one.
        """
        super().__init__(folder)
        self.dicom_port = port or reserve_port()
        self.metrics_port = reserve_port()
        self.env = {
            "HILUM_LISTENER_PORT": str(self.dicom_port),
            "HILUM_METRICS_PORT": str(self.metrics_port),
            **env,
        }

    def _command(self) -> Command:
        # It finishes the objects that it receives before it ends.
        return _python("hilum_listener", self, self.env, stop_grace_s=60.0)

    def _ready(self) -> bool:
        return is_healthy(self.metrics_port, "/ready")


def upgrade_database(env: Mapping[str, str]) -> None:
    """Brings the database to the newest migration.

    Raises:
        ProcessFailed: With what the command said.
    """
    _administer(env, "db", "upgrade")


def prepare_object_store(env: Mapping[str, str]) -> None:
    """Makes the bucket or folder where it is missing.

    Raises:
        ProcessFailed: With what the command said.
    """
    _administer(env, "store", "prepare")


def send_results_to(env: Mapping[str, str], pacs: Pacs) -> None:
    """Make a PACS the destination of the default site's results, under a name of its port.

    An earlier run had another port: its destination gets nothing more.

    Raises:
        ProcessFailed: With what the command said.
    """
    name = f"pacs-{pacs.dicom_port}"
    listed = _administer(env, "pacs", "destinations", "list")
    for line in listed.splitlines():
        known = line.split(maxsplit=1)[0]
        if known.startswith("default/pacs-") and line.rstrip().endswith("enabled"):
            _administer(env, "pacs", "destinations", "disable", known)
    _administer(
        env,
        *("pacs", "destinations", "add", name, "--site", "default"),
        *("--ae-title", pacs.ae_title, "--host", LOOPBACK, "--port", str(pacs.dicom_port)),
        *("--objects", "sr,sc,gsps,seg,no_result"),
    )


def bootstrap_key(env: Mapping[str, str], path: Path) -> str:
    """Makes an admin API key where there is none, and keeps it in a file with mode 0600.

    Args:
        env: Names the database.
        path: The key's file. If it got lost while the database has keys (which are stored
            hashed), one more key is made.

    Returns:
        The key.

    Raises:
        ProcessFailed: With what the command said.
    """
    create = ("keys", "create", "--role", "admin", "--write", str(path))
    _administer(env, *create, "--name", "bootstrap", "--if-none")
    if not path.exists():
        _administer(env, *create, "--name", "recovered")
    key = path.read_text().strip()
    write_private(path, key + "\n")
    return key


def cli_command(*arguments: str) -> list[str]:
    """The argument vector of ``hilum ARGUMENTS...`` in this environment."""
    return [sys.executable, "-m", "hilum_cli", *arguments]


def child_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Our environment, with settings laid over it, and no proxy for what is on this machine.

    What is the stack's own port is an old name of the gateway's, which would go before the new one.

    gRPC and HTTP clients would take a proxy that the environment names also to 127.0.0.1.
    """
    spared = {
        name: ",".join(filter(None, (os.environ.get(name), LOOPBACK)))
        for name in ("NO_PROXY", "no_proxy")
    }
    own = {name: value for name, value in os.environ.items() if name != PORT_VARIABLE}
    return {**own, **spared, **env}


def _administer(env: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        cli_command(*arguments),
        env=child_environment(env),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        told = "hilum " + " ".join(arguments[:2])
        raise ProcessFailed(f"`{told}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _python(
    module: str, server: Server, env: Mapping[str, str], *, stop_grace_s: float = 20.0
) -> Command:
    return Command(
        server.name,
        (sys.executable, "-m", module),
        server.log,
        env=child_environment({"PYTHONUNBUFFERED": "1", **env}),
        folder=server.folder,  # `-m` puts the working folder on sys.path: let it hold no code
        stop_grace_s=stop_grace_s,
    )
