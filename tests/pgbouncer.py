"""A real PgBouncer in transaction mode, before a PostgreSQL of the tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum_stack.ports import LOOPBACK, accepts_connections, reserve_port
from hilum_stack.postgres import DEFAULT_DATABASE, SYSTEM_USER
from hilum_stack.process import Command
from hilum_stack.server import Server, find_program, write_private

if TYPE_CHECKING:
    from hilum_stack.postgres import PostgresServer

SESSION_DATABASE: Final = "sessions"
"""A second name of the database ``hilum``, in session mode."""

_PROGRAMS: Final = Path("/usr/sbin")


class PgBouncerServer(Server):
    """One PgBouncer with the settings that its package ships, but for those below."""

    name = "pgbouncer"
    folder_mode = 0o711  # the system user passes through

    def __init__(self, folder: Path, postgres: PostgresServer, sessions: int = 20) -> None:
        """Prepare a PgBouncer.

        Args:
            folder: Holds its configuration and log.
            postgres: The server behind it.
            sessions: Most sessions of a database.
        """
        super().__init__(folder)
        self.port = reserve_port()
        self._postgres = postgres
        self._sessions = sessions
        self._system_user = SYSTEM_USER if os.geteuid() == 0 else None  # it refuses root

    @property
    def url(self) -> str:
        """Address of the database ``hilum``."""
        return self.database_url(DEFAULT_DATABASE)

    def database_url(self, database: str) -> str:
        """Return the address of a database behind the pooler."""
        user, password = self._postgres.user, self._postgres.password
        return f"postgresql://{user}:{password}@{LOOPBACK}:{self.port}/{database}"

    def require_installed(self) -> None:
        """Raise ``ServerMissing`` unless the program is there."""
        find_program("PgBouncer", "pgbouncer", _PROGRAMS)

    def _command(self) -> Command:
        program = find_program("PgBouncer", "pgbouncer", _PROGRAMS)
        users = self._write("users.txt", f'"{self._postgres.user}" "{self._postgres.password}"\n')
        settings = {
            "listen_addr": LOOPBACK,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": users,
            "pool_mode": "transaction",
            "default_pool_size": self._sessions,
        }
        place = f"host={LOOPBACK} port={self._postgres.port}"
        lines = (
            "[databases]",
            f"* = {place}",
            f"{SESSION_DATABASE} = {place} dbname={DEFAULT_DATABASE} pool_mode=session",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in settings.items()),
        )
        configuration = self._write("pgbouncer.ini", "\n".join(lines) + "\n")
        argv = (str(program), str(configuration))
        return Command(self.name, argv, self.log, user=self._system_user)

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        write_private(path, text)
        if self._system_user is not None:
            shutil.chown(path, self._system_user)
        return path

    def _ready(self) -> bool:
        return accepts_connections(self.port)
