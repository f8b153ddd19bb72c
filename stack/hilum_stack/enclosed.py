"""Servers that bind every address: each in a network namespace of its own, reached by relays.

Orthanc and DCMTK's ``storescp`` cannot be told to listen on 127.0.0.1 alone. In a namespace with
nothing but a loopback interface they are reached by nobody else. A relay is a pair of ``socat``
processes, one on each side, that meet at a Unix socket in the server's folder.
"""

from __future__ import annotations

import os
import subprocess
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum_stack.errors import ServerMissing
from hilum_stack.ports import LOOPBACK
from hilum_stack.process import Command, SupervisedProcess
from hilum_stack.server import Server, find_program

if TYPE_CHECKING:
    from collections.abc import Sequence

ENCLOSED: Final = "HILUM_STACK_ENCLOSED"
"""Environment variable: this process already runs in a namespace without an uplink."""

_LOOPBACK_UP: Final = 'ip link set lo up && exec "$@"'


def enclose(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the command that runs another one in a network namespace of its own.

    It needs no root where the kernel lets users make namespaces. The process keeps its id.
    """
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", "--net", *user, "sh", "-c", _LOOPBACK_UP, "sh", *argv)


def require_enclosing() -> None:
    """Check that namespaces and relays can be made.

    Raises:
        ServerMissing: A program is missing, or this user may make no namespaces.
    """
    for program in ("socat", "nsenter", "unshare"):
        find_program(program, program)
    if os.environ.get(ENCLOSED):
        return
    tried = subprocess.run(enclose(["true"]), capture_output=True, check=False)
    if tried.returncode:
        raise ServerMissing("network namespaces", tried.stderr.decode(errors="replace").strip())


class EnclosedServer(Server):
    """A server in a namespace of its own.

    Its ports are the same inside and outside. In a process that is enclosed itself
    (:data:`ENCLOSED`) the server shares its namespace, and nothing is relayed.
    """

    def __init__(self, folder: Path, *, ports: Sequence[int], peers: Sequence[int] = ()) -> None:
        """Prepare a server.

        Args:
            folder: Holds data, configuration, log and sockets. Its path is short, since a path of
                a Unix socket has at most 107 bytes.
            ports: Ports of the server that are reached from outside.
            peers: Ports outside that the server reaches.
        """
        super().__init__(folder)
        self._ports = tuple(ports)
        self._peers = tuple(peers)
        self._relays: list[SupervisedProcess] = []

    def require_installed(self) -> None:
        """Raise ``ServerMissing`` unless all that it needs is there."""
        require_enclosing()

    def begin(self) -> None:
        """Start the process and its relays without waiting for it."""
        self.require_installed()
        super().begin()
        if not os.environ.get(ENCLOSED):
            self._wait_enclosed()
            for port in self._ports:
                self._relay(port, server_inside=True)
            for port in self._peers:
                self._relay(port, server_inside=False)

    def stop(self) -> None:
        """Stop the server in good order, then its relays. Safe to call again."""
        super().stop()
        self._end_relays()

    def kill(self) -> None:
        """Kill the server by SIGKILL, as a crash would, and its relays."""
        super().kill()
        self._end_relays()

    def _wait_enclosed(self) -> None:
        """Wait until the process runs its program: before, it may still be in our namespace."""
        program = self._program().argv[0].encode()
        cmdline = Path(f"/proc/{self.pid}/cmdline")
        assert self.process is not None  # noqa: S101 - it was begun
        self.process.wait_ready(
            lambda: cmdline.read_bytes().split(b"\0", 1)[0] == program, within_s=self.ready_within_s
        )

    def _end_relays(self) -> None:
        for relay in self._relays:
            relay.kill()
        self._relays.clear()

    def _relay(self, port: int, *, server_inside: bool) -> None:
        """Let clients on one side reach 127.0.0.1:port on the other."""
        meeting = self.folder / f"{port}.sock"
        meeting.unlink(missing_ok=True)
        # Bytes go on as they come, also small ones.
        reach = (
            "socat",
            f"UNIX-LISTEN:{meeting},fork,backlog=256",
            f"TCP:{LOOPBACK}:{port},nodelay",
        )
        listening = f"TCP-LISTEN:{port},bind={LOOPBACK},fork,reuseaddr,backlog=256,nodelay"
        listen = ("socat", listening, f"UNIX-CONNECT:{meeting}")
        inside, outside = (reach, listen) if server_inside else (listen, reach)
        user = () if os.geteuid() == 0 else ("--preserve-credentials", "--user")
        entered = ("nsenter", *user, "--net", "--target", str(self.pid), *inside)
        for side, argv in (("inside", entered), ("outside", outside)):
            log = self.folder / f"relay-{port}-{side}.log"
            self._relays.append(SupervisedProcess(Command(f"relay-{port}-{side}", argv, log)))

    def _command(self) -> Command:
        command = self._program()
        if os.environ.get(ENCLOSED):
            return command
        return replace(command, argv=enclose(command.argv))

    @abstractmethod
    def _program(self) -> Command:
        """Return how to run the server itself; called at each start."""
