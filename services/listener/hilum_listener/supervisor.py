"""Starts the processes that take associations, and starts one again that died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SO_REUSEPORT, SOCK_STREAM, SOL_SOCKET, socket
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client.multiprocess import mark_process_dead

from hilum.runtime.exit_codes import WRONG_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hilum_listener.metrics import SupervisorMetrics
    from hilum_listener.settings import ListenerSettings

_LOG: Final = structlog.get_logger(__name__)

_LOOK_S: Final = 0.1
_FIRST_BACKOFF_S: Final = 0.2
_LONGEST_BACKOFF_S: Final = 15.0
_LONG_LIFE_S: Final = 60.0
_KILLED_AFTER_S: Final = 10.0
"""Beyond the grace of a process, for its last records."""


@dataclass(slots=True)
class _Place:
    """One of the processes, and those before it.

    Attributes:
        process: The present one.
        ready: Whether it takes associations.
        started_at: Monotonic.
        backoff_s: Wait before the next one.
        next_at: When the next one is due, monotonic.
    """

    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    started_at: float = 0.0
    backoff_s: float = _FIRST_BACKOFF_S
    next_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Keeps so many processes as the settings say.

    Attributes:
        settings: Of the listener.
        metrics: Told of processes.
        folder: Of the figures of the processes.
        stopping: Set by signals.
    """

    settings: ListenerSettings
    metrics: SupervisorMetrics
    folder: Path
    stopping: threading.Event = field(default_factory=threading.Event)
    _places: list[_Place] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Return whether every process takes associations."""
        return (
            bool(self._places)
            and all(place.ready for place in self._places)
            and not self.stopping.is_set()
        )

    def run(self) -> int:
        """Supervise until SIGTERM or SIGINT.

        Returns:
            The exit code: 0, or 78 where a process found the settings wrong.

        Raises:
            OSError: A port cannot be bound.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        told = self.settings.listener
        with ExitStack() as held:
            environment = dict(os.environ, PROMETHEUS_MULTIPROC_DIR=str(self.folder))
            for name, port in (("PORT", told.port), ("TLS_PORT", told.tls_port)):
                if port is not None:
                    bound = held.enter_context(_bound(told.host, port))
                    environment[f"HILUM_LISTENER_{name}"] = str(bound.getsockname()[1])
            self._places = [_Place() for _ in range(told.processes)]
            _LOG.info("listener.started", processes=told.processes, ae_title=told.ae_title)
            code = 0
            while not self.stopping.is_set() and code == 0:
                code = self._look(environment)
                self._tell()
                self.stopping.wait(_LOOK_S)
            self.stopping.set()
            self._tell()
            self._stop()
        return code

    def _look(self, environment: Mapping[str, str]) -> int:
        """Start what is due, and see what died; the code with which to end, or 0."""
        for place in self._places:
            if place.process is None:
                if time.monotonic() >= place.next_at:
                    _start(place, environment)
                continue
            code = place.process.poll()
            if code is None:
                place.ready = place.ready or _says_ready(place.process)
                continue
            mark_process_dead(place.process.pid, str(self.folder))  # type: ignore[no-untyped-call]
            if code == WRONG_SETTINGS:
                return code
            self._bury(place, code)
        return 0

    def _bury(self, place: _Place, code: int) -> None:
        lived_s = time.monotonic() - place.started_at
        if lived_s > _LONG_LIFE_S:
            place.backoff_s = _FIRST_BACKOFF_S
        _LOG.error("process.died", exit_code=code, lived_seconds=round(lived_s, 1))
        self.metrics.restarts.inc()
        place.process, place.ready = None, False
        place.next_at = time.monotonic() + place.backoff_s
        place.backoff_s = min(2 * place.backoff_s, _LONGEST_BACKOFF_S)

    def _tell(self) -> None:
        """Tell probes how it stands."""
        self.metrics.processes.set(sum(place.ready for place in self._places))
        file = self.settings.listener.ready_file
        if file is not None and self.ready:
            file.touch()
        elif file is not None:
            file.unlink(missing_ok=True)

    def _stop(self) -> None:
        """Let each process drain, and kill those that do not end."""
        running = [place.process for place in self._places if place.process is not None]
        for process in running:
            with suppress(ProcessLookupError):
                process.terminate()
        until = time.monotonic() + self.settings.listener.shutdown_grace_seconds + _KILLED_AFTER_S
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(place: _Place, environment: Mapping[str, str]) -> None:
    place.process = subprocess.Popen(
        [sys.executable, "-m", "hilum_listener.acceptor"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(environment),
    )
    assert place.process.stdout is not None  # noqa: S101 - a pipe
    os.set_blocking(place.process.stdout.fileno(), False)
    place.started_at = time.monotonic()


def _says_ready(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None  # noqa: S101 - a pipe
    return bool(process.stdout.read(1))


def _bound(host: str, port: int) -> socket:
    """Hold a port, so that nobody else takes it; connections go to the processes that listen."""
    held = socket(AF_INET6 if ":" in host else AF_INET, SOCK_STREAM)
    held.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    held.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
    held.bind((host, port))
    return held
