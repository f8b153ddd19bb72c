"""What all processes of a stack have in common: begin, become ready, stop, kill, restart."""

from __future__ import annotations

import json
import os
import shutil
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from hilum_stack.errors import ServerMissing
from hilum_stack.process import Command, SupervisedProcess

if TYPE_CHECKING:
    from collections.abc import Callable


class Server(ABC):
    """One server (or worker) on 127.0.0.1, with its data and log in a folder.

    Port and credentials stay the same over ``stop``, ``kill`` and ``restart``, so that clients
    reconnect to the address they know.
    """

    name: str
    ready_within_s: ClassVar[float] = 60.0
    folder_mode: ClassVar[int] = 0o700  # films and credentials are nobody else's business

    def __init__(self, folder: Path) -> None:
        """Prepares a server; ``launch`` starts it.

        Args:
            folder: Holds data, configuration and log. What an earlier run left there is used.
        """
        self.folder = folder.absolute()
        make_folder(self.folder, self.folder_mode)
        self.process: SupervisedProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """Standard output and error of the server."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Process id of the running server.

        Raises:
            RuntimeError: It was not started.
        """
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self.process is not None and self.process.running

    def require_installed(self) -> None:  # noqa: B027 - gateway and worker are always there
        """Checks that the program can be found.

        Raises:
            ServerMissing: It is not installed; the text says how to install it.
        """

    def begin(self) -> None:
        """Starts the process without waiting for it, so that several can start side by side.

        Raises:
            ServerMissing: Its program is not installed.
            ProcessFailed: It cannot be executed.
        """
        self.process = SupervisedProcess(self._command())

    def wait_ready(self) -> None:
        """Waits until the server answers.

        Raises:
            ProcessFailed: It ended or did not answer in time; with the tail of its log.
        """
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        self.process.wait_ready(self._ready, within_s=self.ready_within_s)

    def launch(self) -> Self:
        """Starts the server and waits until it answers.

        Returns:
            Itself.

        Raises:
            ServerMissing: Its program is not installed.
            ProcessFailed: It did not start; with the tail of its log.
        """
        self.begin()
        self.wait_ready()
        return self

    def stop(self) -> None:
        """Stops the server in good order. Safe to call again."""
        if self.process is not None:
            self.process.stop()

    def kill(self) -> None:
        """Kills the server by SIGKILL, as a crash would; its data stays as it is."""
        if self.process is not None:
            self.process.kill()

    def restart(self) -> None:
        """Stops the server if it runs, then starts it on the same port with the same data."""
        self.stop()
        self.launch()

    @abstractmethod
    def _command(self) -> Command:
        """How to run the server; called at each start."""

    @abstractmethod
    def _ready(self) -> bool:
        """Whether the server answers; must not raise."""


def make_folder(folder: Path, mode: int) -> None:
    """Makes a folder with exactly that mode; one that is there already keeps its own."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(mode)


def find_program(server: str, program: str, *folders: Path) -> Path:
    """Finds a server's executable on the PATH or in further folders.

    The folder of this Python's own programs is passed over: pynetdicom puts a ``storescp`` and a
    ``storescu`` there, which are not DCMTK's.

    Raises:
        ServerMissing: It is in none of them.
    """
    own = str(Path(sys.executable).parent)
    named = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join([*(one for one in named if one != own), *map(str, folders)])
    found = shutil.which(program, path=path)
    if found is None:
        places = " nor in ".join(["on the PATH", *map(str, folders)])
        raise ServerMissing(
            server,
            f"`{program}` is neither {places}" if folders else f"`{program}` is not {places}",
        )
    return Path(found)


def kept_secrets(path: Path, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Reads the credentials of an earlier run, or makes them and keeps them with mode 0600.

    Args:
        path: JSON file.
        make: Called when the file does not exist.
    """
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text())
        return kept
    secrets = make()
    write_private(path, json.dumps(secrets))
    return secrets


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, atomically."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
