"""A supervised child process: it becomes ready in time or fails loudly, and never outlives us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Self

import psutil

from hilum_stack.errors import ProcessFailed
from hilum_stack.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_POLL_S = 0.02
_TAIL_LINES = 30
_TAIL_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and how it likes to be stopped.

    Attributes:
        name: What a person calls the process, e.g. ``worker-1``.
        argv: Program and arguments.
        log: File that receives standard output and standard error, appended.
        env: The whole environment of the child.
        folder: Working folder; None keeps ours.
        user: System user to run as; None keeps ours. Needs root.
        stop_signal: Asks the process to end in good order.
        stop_grace_s: Seconds it may take for that before it is killed.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    folder: Path | None = None
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_s: float = 15.0


class SupervisedProcess:
    """A child in a session (and process group) of its own.

    A Ctrl-C at the terminal therefore reaches only the parent, which stops its children in the
    right order. If the parent dies instead, the watchdog ends the group.
    """

    def __init__(self, command: Command) -> None:
        """Starts the command at once.

        Raises:
            ProcessFailed: The program cannot be executed.
        """
        self.command = command
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with command.log.open("ab") as log:
            self._popen = _spawn(command, log)
        self._buried = False
        Watchdog.shared().add(self._popen.pid, command.stop_signal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command.name

    @property
    def pid(self) -> int:
        """Process id, which is the id of its group too."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether the child itself has not ended."""
        return self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        """Exit status; negative: the signal that ended it; None: still running."""
        return self._popen.poll()

    def wait_ready(self, ready: Callable[[], bool], *, within_s: float = 60.0) -> None:
        """Waits until ``ready()`` is true.

        Args:
            ready: Asked again and again; must return quickly and must not raise.
            within_s: How long the child may take, in seconds.

        Raises:
            ProcessFailed: It ended, or was not ready in time; with the tail of its log. In both
                cases nothing of it is left running.
        """
        deadline = time.monotonic() + within_s
        while True:
            if not self.running:
                status = self.returncode
                self.kill()
                raise ProcessFailed(self._told(f"ended with status {status} before it was ready"))
            if ready():
                return
            if time.monotonic() > deadline:
                self.kill()
                raise ProcessFailed(self._told(f"was not ready within {within_s:g} s"))
            time.sleep(_POLL_S)

    def wait(self, within_s: float) -> int | None:
        """Waits for the child to end; returns its status, or None if it has not ended by then."""
        try:
            return self._popen.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def require_running(self) -> None:
        """Checks that the child lives.

        Raises:
            ProcessFailed: It has ended; with its status and the tail of its log.
        """
        if not self.running:
            raise ProcessFailed(self._told(f"ended with status {self.returncode}"))

    def stop(self) -> None:
        """Asks the child to stop, then kills what is left of its family. Safe to call again."""
        if self.running:
            family = self._family()
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.command.stop_signal)
            self.wait(self.command.stop_grace_s)
            _reap(family)
        self.kill()

    def kill(self) -> None:
        """Kills the child and all its descendants by SIGKILL, and waits until they are gone."""
        if self._buried:
            return  # its id may belong to somebody else by now
        family = self._family()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        _reap(family)
        self._buried = True
        Watchdog.shared().remove(self.pid)

    def log_tail(self) -> str:
        """The last lines of the log, at most 30."""
        try:
            with self.command.log.open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - _TAIL_BYTES))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def _family(self) -> list[psutil.Process]:
        """Descendants, also those that made a group of their own (PostgreSQL's do)."""
        if self._popen.poll() is not None:
            return []
        try:
            return list(psutil.Process(self.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def _told(self, what: str) -> str:
        tail = self.log_tail()
        shown = "\n".join(f"    {line}" for line in tail.splitlines()) or "    (empty)"
        return f"{self.name} {what}; the end of {self.command.log}:\n{shown}"


def _spawn(command: Command, log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(command.env),
            cwd=command.folder,
            user=command.user,
            group=command.user,
            extra_groups=[] if command.user else None,
            start_new_session=True,
        )
    except OSError as error:
        raise ProcessFailed(f"{command.name} cannot be started: {error}") from error


def _reap(family: list[psutil.Process]) -> None:
    """Kills what is left of a family and waits until it is gone."""
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()  # psutil compares start times: a reused id is never hit
    psutil.wait_procs(family, timeout=10.0)
