"""A real Triton Inference Server from its wheel, with the Python backend, loopback only."""

from __future__ import annotations

import contextlib
import ctypes.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from hilum_stack.errors import ProcessFailed, ServerMissing
from hilum_stack.health import is_healthy
from hilum_stack.paths import CACHE
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.process import Command
from hilum_stack.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum_stack.certificate import Certificate

# A model's model.py puts the folder that this variable names at the front of sys.path: the
# Python backend's stub embeds an interpreter of its own and ignores PYTHONPATH.
SITE_PACKAGES_VARIABLE = "HILUM_TRITON_SITE_PACKAGES"
# As in the chart; a request that is under way is finished.
MAX_CONNECTION_AGE_MS = 60_000
# What the Python backend says when it aborts Triton, now and then, while models are loaded on busy
# cores (triton-inference-server/server, issues 5949 and 8882).
LOCK_LOST = "boost::interprocess::lock_exception"


@dataclass(frozen=True, slots=True)
class TritonInstallation:
    """Where `make services` (``scripts/services.sh``) put the parts of Triton.

    Attributes:
        program: The executable.
        backends: The wheel's backends, with the stub for Python 3.11 beside the Python backend.
        libraries: Shared libraries of the wheel.
        site_packages: Python packages that models import: numpy, onnxruntime.
    """

    program: Path
    backends: Path
    libraries: Path
    site_packages: Path


def find_triton() -> TritonInstallation:
    """Finds Triton in the cache folder, complete with the stub and libpython3.11.

    Raises:
        ServerMissing: A part of it is missing; the text names the part.
    """
    home = CACHE / "triton"
    site_packages = home / "site-packages"
    installation = TritonInstallation(
        program=site_packages / "pytriton" / "tritonserver" / "bin" / "tritonserver",
        backends=home / "backends",
        libraries=site_packages / "nvidia_pytriton.libs",
        site_packages=site_packages,
    )
    stub = installation.backends / "python" / "triton_python_backend_stub"
    for part in (installation.program, stub, site_packages / "onnxruntime"):
        if not part.exists():
            raise ServerMissing("Triton", f"no {part}")
    if ctypes.util.find_library("python3.11") is None:
        raise ServerMissing("Triton", "its Python backend needs the system's libpython3.11")
    return installation


class TritonServer(Server):
    """One Triton, which serves every model of a repository."""

    name = "triton"
    # Loading starts one interpreter per model instance; slow while other work has the cores.
    ready_within_s = 180.0

    def __init__(
        self,
        folder: Path,
        model_repository: Path,
        env: Mapping[str, str] | None = None,
        *,
        model_control: Literal["none", "explicit"] = "none",
        address: str = LOOPBACK,
        grpc_port: int | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        """Prepares a server.

        Args:
            folder: Holds the log.
            model_repository: Folder with one folder per model (each with ``config.pbtxt``).
            env: Settings; those named ``HILUM_TRITON_*`` are for the models, here as in our
                own environment.
            model_control: ``none`` loads every model at the start, ``explicit`` loads those that
                a client asks for.
            address: Where gRPC listens; further loopback addresses stand for further pods.
            grpc_port: Its port; a free one by default.
            certificate: Of the gRPC service; health and metrics stay plain.
        """
        super().__init__(folder)
        self._model_control = model_control
        self.model_repository = model_repository.absolute()
        self._settings = {
            name: value
            for name, value in {**os.environ, **(env or {})}.items()
            if name.startswith("HILUM_TRITON_")
        }
        self.http_port = reserve_port()
        self.address = address
        self.grpc_port = grpc_port or reserve_port()
        self.max_connection_age_ms = MAX_CONNECTION_AGE_MS
        self._certificate = certificate
        self.metrics_port = reserve_port()

    @classmethod
    def start(cls, folder: Path, model_repository: Path) -> Self:
        """Starts Triton and waits until every model is loaded.

        Raises:
            ServerMissing: Triton is not installed.
            ProcessFailed: It did not start, or a model could not be loaded.
        """
        return cls(folder, model_repository).launch()

    def require_installed(self) -> None:
        """Raises ``ServerMissing`` unless ``find_triton`` finds it."""
        find_triton()

    @property
    def url(self) -> str:
        """``triton://127.0.0.1:PORT``, Hilum's address of the gRPC endpoint."""
        return f"triton://{self.grpc_endpoint}{'?secure=true' if self._certificate else ''}"

    @property
    def grpc_endpoint(self) -> str:
        """``127.0.0.1:PORT``, as ``tritonclient.grpc`` wants it."""
        return f"{self.address}:{self.grpc_port}"

    @property
    def http_url(self) -> str:
        """Address of the HTTP endpoint (KServe v2)."""
        return f"http://{LOOPBACK}:{self.http_port}"

    @property
    def metrics_url(self) -> str:
        """Address of the Prometheus metrics."""
        return f"http://{LOOPBACK}:{self.metrics_port}/metrics"

    def wait_ready(self) -> None:
        """Waits until every model is loaded; starts Triton once more if its backend aborted it.

        What watches over a Triton in service (kubelet, a service manager) starts it again, too.

        Raises:
            ProcessFailed: It ended or did not answer in time; with the tail of its log.
        """
        try:
            super().wait_ready()
        except ProcessFailed as failure:
            self._remove_shared_memory()
            if LOCK_LOST not in str(failure):
                raise
            self.begin()
            super().wait_ready()

    def stop(self) -> None:
        """Stops the server in good order, and removes shared memory that it left."""
        super().stop()
        self._remove_shared_memory()

    def kill(self) -> None:
        """Kills the server by SIGKILL, with the interpreters of its models."""
        super().kill()
        self._remove_shared_memory()

    def _command(self) -> Command:
        installation = find_triton()
        flags = {
            "model-repository": self._stage(),
            "backend-directory": installation.backends.absolute(),
            "model-control-mode": self._model_control,
            "strict-readiness": "true",
            "exit-on-error": "true",
            "http-address": LOOPBACK,
            "http-port": self.http_port,
            "grpc-address": self.address,
            "grpc-port": self.grpc_port,
            # Clients look their name up again when a connection ends, and find added pods.
            "grpc-max-connection-age": self.max_connection_age_ms,
            "metrics-address": LOOPBACK,
            "metrics-port": self.metrics_port,
            "allow-gpu-metrics": "false",
            "exit-timeout-secs": "10",
            "log-info": "false",
            # Regions of our own name, so that those of a killed server can be removed.
            "backend-config": f"python,shm-region-prefix-name={self._shared_memory}",
        }
        if self._certificate is not None:
            flags["grpc-use-ssl"] = "true"
            flags["grpc-server-cert"] = self._certificate.chain
            flags["grpc-server-key"] = self._certificate.key
        return Command(
            self.name,
            (str(installation.program), *(f"--{key}={value}" for key, value in flags.items())),
            self.log,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "LD_LIBRARY_PATH": str(installation.libraries.absolute()),
                **self._settings,
                SITE_PACKAGES_VARIABLE: str(installation.site_packages.absolute()),
            },
        )

    def _ready(self) -> bool:
        return is_healthy(self.http_port, "/v2/health/ready")

    def _stage(self) -> Path:
        """Mirrors the repository by links, anew at each start.

        The embedded interpreter writes byte code beside each ``model.py`` whatever the
        environment says, and only training may write into ``model_repository/``.
        """
        staged = self.folder / "models"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(
            self.model_repository,
            staged,
            copy_function=os.symlink,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        return staged

    @property
    def _shared_memory(self) -> str:
        return f"hilum_triton_{self.http_port}_"

    def _remove_shared_memory(self) -> None:
        for region in Path("/dev/shm").glob(f"{self._shared_memory}*"):  # noqa: S108 - the kernel's
            with contextlib.suppress(FileNotFoundError):
                region.unlink()
