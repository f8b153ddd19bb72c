"""A whole Hilum: servers, database at its newest migration, a key, gateway, workers."""

from __future__ import annotations

import fcntl
import os
import secrets
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, Self

from hilum_stack.errors import StackError
from hilum_stack.paths import MODEL_REPOSITORY
from hilum_stack.ports import require_free, reserve_port
from hilum_stack.server import Server, kept_secrets, make_folder
from hilum_stack.services import (
    Gateway,
    Listener,
    Worker,
    bootstrap_key,
    prepare_object_store,
    send_results_to,
    upgrade_database,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hilum_stack.pacs import Pacs


class Stack(ABC):
    """What the embedded stack and the one on real servers have in common.

    Attributes:
        folder: Data, logs and the API key; what an earlier run left there is used.
        gateway: The gateway's process; None before the start.
        workers: The workers' processes.
        listener: Takes images over DICOM; None where that was not asked for.
        pacs: Gets the results; None where that was not asked for.
        api_key: An admin's key; empty before the start.
    """

    folder_mode: ClassVar[int] = 0o700

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 1,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        model_repository: Path = MODEL_REPOSITORY,
        dicom_port: int | None = None,
        pacs: Pacs | None = None,
    ) -> None:
        """Prepares a stack; ``start`` (or ``with``) runs it.

        Args:
            folder: Holds data, logs and the API key.
            workers: Number of worker processes.
            port: The gateway's; None takes a free one.
            env: Further settings (``HILUM_*``) for gateway and workers; they win.
            model_repository: The models to serve.
            dicom_port: Where images come in over DICOM, from any caller; None takes none.
            pacs: Gets the results, and runs beside the stack.
        """
        self.folder = folder.absolute()
        self.api_key = ""
        self.gateway: Gateway | None = None
        self.workers: list[Worker] = []
        self.listener: Listener | None = None
        self._worker_count = workers
        self._port = port
        self.pacs = pacs
        self._dicom_port = dicom_port
        self._env = dict(env or {})
        self._model_repository = model_repository.absolute()
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    @abstractmethod
    def servers(self) -> Sequence[Server]:
        """The real servers, in the order in which they start."""

    @abstractmethod
    def _addresses(self) -> dict[str, str]:
        """The addresses of database, object store, broker and inference, as settings."""

    @property
    def env(self) -> dict[str, str]:
        """The settings that gateway, workers and the administration command share."""
        return {
            "HILUM_MODEL_REPOSITORY": str(self._model_repository),
            **self._addresses(),
            **self._env,
        }

    @property
    def url(self) -> str:
        """The gateway's address.

        Raises:
            RuntimeError: The stack was not started.
        """
        if self.gateway is None:
            raise RuntimeError("the stack was not started")
        return self.gateway.url

    @property
    def api_key_path(self) -> Path:
        """File with the admin's key, mode 0600."""
        return self.folder / "api-key"

    @property
    def members(self) -> list[Server]:
        """Every process of the stack, in the order in which they start."""
        doors = [each for each in (self.gateway, self.listener) if each is not None]
        return [*self._beside, *self.servers, *self.workers, *doors]

    @property
    def _beside(self) -> list[Server]:
        return [] if self.pacs is None else [self.pacs.server]

    @property
    def processes(self) -> dict[str, int]:
        """Name -> process id of every running member.

        PostgreSQL and Triton do most of their work in children of that process.
        """
        return {member.name: member.pid for member in self.members if member.running}

    def start(self) -> None:
        """Starts everything and waits until the gateway and all workers are ready.

        Raises:
            PortTaken: The gateway's port is in use; nothing was started.
            ServerMissing: A server is not installed.
            ProcessFailed: A part did not start. Nothing is left running.
            StackError: Another stack runs on this folder.
        """
        for port in (self._port, self._dicom_port):
            if port is not None:
                require_free(port)
        for server in [*self.servers, *self._beside]:
            server.require_installed()
        make_folder(self.folder, self.folder_mode)
        self._take_folder()
        try:
            self._start_servers()
            self._start_services()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops everything in order: no more uploads, jobs finished, then the servers."""
        _stop_together([each for each in (self.gateway, self.listener) if each is not None])
        _stop_together(self.workers)
        _stop_together([*self.servers, *self._beside])
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def require_running(self) -> None:
        """Checks that every member lives.

        Raises:
            ProcessFailed: Names the one that ended, with its status and the tail of its log.
        """
        for member in self.members:
            if member.process is not None:
                member.process.require_running()

    def _start_servers(self) -> None:
        servers = [*self.servers, *self._beside]
        for server in servers:
            server.begin()
        for server in servers:
            server.wait_ready()

    def _start_services(self) -> None:
        env = self.env
        upgrade_database(env)
        prepare_object_store(env)
        self.api_key = bootstrap_key(env, self.api_key_path)
        if self.pacs is not None:
            send_results_to(env, self.pacs)
        kept = kept_secrets(
            self.folder / "session.json", lambda: {"secret": secrets.token_urlsafe(48)}
        )
        self.workers = [
            Worker(self.folder / "workers", env, number)
            for number in range(1, self._worker_count + 1)
        ]
        self.gateway = Gateway(
            self.folder / "gateway",
            {"HILUM_SESSION_SECRET": kept["secret"], **env},
            self._port if self._port is not None else reserve_port(),
        )
        services: list[Server] = [self.gateway, *self.workers]
        if self._dicom_port is not None:
            site = {"HILUM_LISTENER_UNKNOWN_CALLERS_SITE": "default"}
            self.listener = Listener(self.folder / "listener", site | env, self._dicom_port)
            services.append(self.listener)
        for service in services:
            service.begin()
        for service in services:
            service.wait_ready()

    def _take_folder(self) -> None:
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StackError(f"another stack runs on {self.folder}") from None
        self._lock = lock


def _stop_together(members: Sequence[Server]) -> None:
    """Stops all at once: each may take its time."""
    if members:
        with ThreadPoolExecutor(len(members)) as pool:
            for stopping in [pool.submit(member.stop) for member in members]:
                stopping.result()
