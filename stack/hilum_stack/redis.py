"""A real Redis: append-only file, no eviction, a password, loopback only."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
from typing import TYPE_CHECKING, Self

from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.process import Command
from hilum_stack.server import Server, find_program, kept_secrets, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_stack.certificate import Certificate


def find_redis() -> Path:
    """Finds ``redis-server``.

    Raises:
        ServerMissing: It is not installed.
    """
    return find_program("Redis", "redis-server")


class RedisServer(Server):
    """One Redis."""

    name = "redis"

    def __init__(self, folder: Path, certificate: Certificate | None = None) -> None:
        super().__init__(folder)
        self._certificate = certificate
        self.port = reserve_port()
        kept = kept_secrets(
            self.folder / "credentials.json", lambda: {"password": secrets.token_hex(16)}
        )
        self.password = kept["password"]

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Starts Redis with its data in ``folder``.

        Raises:
            ServerMissing: Redis is not installed.
            ProcessFailed: It did not start.
        """
        return cls(folder).launch()

    def require_installed(self) -> None:
        """Raises ``ServerMissing`` unless ``find_redis`` finds it."""
        find_redis()

    @property
    def url(self) -> str:
        """``redis://:PASSWORD@127.0.0.1:PORT/0``, ``rediss://`` with a certificate."""
        scheme = "redis" if self._certificate is None else "rediss"
        return f"{scheme}://:{self.password}@{LOOPBACK}:{self.port}/0"

    def _command(self) -> Command:
        program = find_redis()
        # In a file, since arguments are visible to every user of the machine.
        configuration = self.folder / "redis.conf"
        write_private(configuration, self._configuration())
        return Command(self.name, (str(program), str(configuration)), self.log)

    def _configuration(self) -> str:
        lines = (
            f"bind {LOOPBACK}",
            *self._listening(),
            "protected-mode yes",
            f'requirepass "{self.password}"',
            f'dir "{self.folder}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            # A broker that evicts loses messages.
            "maxmemory-policy noeviction",
            "daemonize no",
        )
        return "\n".join(lines) + "\n"

    def _listening(self) -> tuple[str, ...]:
        if self._certificate is None:
            return (f"port {self.port}",)
        return (
            "port 0",
            f"tls-port {self.port}",
            f'tls-cert-file "{self._certificate.chain}"',
            f'tls-key-file "{self._certificate.key}"',
            # Clients prove themselves by the password.
            "tls-auth-clients no",
        )

    def _ready(self) -> bool:
        with contextlib.suppress(OSError):
            return self._call("PING") == b"+PONG"
        return False

    def _call(self, command: str) -> bytes:
        """Sends one inline command (no client library is needed for it); returns the reply."""
        with self._connected() as connection:
            connection.sendall(f"AUTH {self.password}\r\n{command}\r\n".encode())
            with connection.makefile("rb") as replies:
                replies.readline()
                return replies.readline().strip()

    def _connected(self) -> socket.socket:
        connection = socket.create_connection((LOOPBACK, self.port), timeout=2.0)
        if self._certificate is None:
            return connection
        context = ssl.create_default_context(cafile=self._certificate.authority)
        return context.wrap_socket(connection, server_hostname=LOOPBACK)
