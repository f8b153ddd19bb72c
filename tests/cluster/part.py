"""One program of the cluster, supervised as every other server of the project's stacks is."""

from __future__ import annotations

import http.client
import os
import ssl
from typing import TYPE_CHECKING

from hilum_stack.process import Command
from hilum_stack.server import Server
from tests.cluster.paths import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Part(Server):
    """A program with its arguments, and how it shows that it is ready."""

    def __init__(
        self, name: str, folder: Path, argv: Sequence[str | Path], ready: Callable[[], bool]
    ) -> None:
        """Prepares it.

        Args:
            name: What a person calls it; its log is ``NAME.log``.
            folder: Its working folder, which holds the log.
            argv: The program's name and its arguments.
            ready: Asked again and again; must not raise.
        """
        self.name = name
        super().__init__(folder)
        self._argv = tuple(str(word) for word in argv)
        self._is_ready = ready

    def _command(self) -> Command:
        return Command(self.name, self._argv, self.log, env=environment(), folder=self.folder)

    def _ready(self) -> bool:
        return self._is_ready()


def environment() -> dict[str, str]:
    """What the cluster's programs see: our own builds first, and no proxy of the machine's."""
    return {
        "PATH": os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", os.defpath), "/usr/sbin"]),
        "HOME": os.environ.get("HOME", "/"),
        "NO_PROXY": "*",
    }


def answers_over_tls(address: str, port: int, path: str, authority: Path) -> Callable[[], bool]:
    """A check: ``GET https://address:port/path`` answers 200, by a certificate of the authority."""

    def ready() -> bool:
        context = ssl.create_default_context(cafile=str(authority))
        connection = http.client.HTTPSConnection(address, port, timeout=2.0, context=context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready
