"""A real PostgreSQL: scram-sha-256 over loopback, fsync on, never as root."""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hilum_stack.errors import ProcessFailed, ServerMissing, StackError
from hilum_stack.ports import LOOPBACK, accepts_connections, reserve_port
from hilum_stack.process import Command
from hilum_stack.server import Server, kept_secrets, make_folder, write_private

if TYPE_CHECKING:
    from hilum_stack.certificate import Certificate

# initdb and postgres refuse to run as root; Debian's package makes this user for them.
SYSTEM_USER = "postgres"
DEFAULT_DATABASE = "hilum"
_ROLE = "hilum"
_STATUS_LINE = 7  # of postmaster.pid, from 0; see miscadmin.h, LOCK_FILE_LINE_PM_STATUS


def find_postgres() -> Path:
    """Finds the folder with ``initdb`` and ``postgres``.

    Debian keeps them off the PATH, one folder per major version; the newest is taken.

    Raises:
        ServerMissing: No folder has both.
    """
    debian = Path("/usr/lib/postgresql")
    versions = [path for path in debian.glob("*/bin") if path.parent.name.isdigit()]
    newest_first = sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    on_path = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    for folder in [*newest_first, *on_path]:
        if all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres")):
            return folder
    raise ServerMissing(
        "PostgreSQL", f"`initdb` and `postgres` are neither in {debian}/*/bin nor on the PATH"
    )


class PostgresServer(Server):
    """One PostgreSQL cluster with one database, ``hilum``."""

    name = "postgres"
    folder_mode = 0o711  # the system user passes through; the data folder itself is 0700

    def __init__(self, folder: Path, certificate: Certificate | None = None) -> None:
        super().__init__(folder)
        self._certificate = certificate
        self.port = reserve_port()
        self.user = _ROLE
        kept = kept_secrets(
            self.folder / "credentials.json", lambda: {"password": secrets.token_hex(16)}
        )
        self.password = kept["password"]
        self._system_user = SYSTEM_USER if os.geteuid() == 0 else None
        self.data = self._data_folder()

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Starts PostgreSQL with its data in ``folder``; a fresh folder gets a new cluster.

        Raises:
            ServerMissing: PostgreSQL is not installed.
            ProcessFailed: It did not start.
        """
        return cls(folder).launch()

    def require_installed(self) -> None:
        """Raises ``ServerMissing`` unless programs and, for root, the system user are there."""
        find_postgres()
        if self._system_user is not None and not _is_user(self._system_user):
            raise ServerMissing("PostgreSQL", f"there is no system user `{self._system_user}`")

    @property
    def url(self) -> str:
        """Address of the database ``hilum``."""
        return self.database_url(DEFAULT_DATABASE)

    def database_url(self, database: str) -> str:
        """``postgresql://USER:PASSWORD@127.0.0.1:PORT/DATABASE``.

        With a certificate, its authority and name are checked (``sslmode=verify-full``).
        """
        url = f"postgresql://{self.user}:{self.password}@{LOOPBACK}:{self.port}/{database}"
        if self._certificate is None:
            return url
        return f"{url}?sslmode=verify-full&sslrootcert={self._certificate.authority}"

    def begin(self) -> None:
        """Starts the server, after making the cluster if the folder is fresh."""
        self.require_installed()
        home = self.data.parent
        make_folder(home, self.folder_mode)
        if home.is_symlink() or home.stat().st_uid != os.geteuid():
            raise StackError(f"{home} belongs to another user; remove it")
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        super().begin()

    def remove(self) -> None:
        """Stops the server and deletes its data, also where that had to live elsewhere."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        if self.data.parent != self.folder:
            self.data.parent.rmdir()

    def _command(self) -> Command:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            # A socket's path may have 107 bytes; data folders can be deeper than that.
            "unix_socket_directories": "",
            "fsync": "on",
            "timezone": "UTC",
            **self._tls(),
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return Command(
            self.name,
            (str(find_postgres() / "postgres"), "-D", str(self.data), *options),
            self.log,
            folder=self.data,
            user=self._system_user,
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for clients to leave
        )

    def _tls(self) -> dict[str, str]:
        """Settings of TLS; the files are copied, for PostgreSQL insists on owning its key."""
        if self._certificate is None:
            return {}
        chain, key = self.data.parent / "server.crt", self.data.parent / "server.key"
        for source, target in ((self._certificate.chain, chain), (self._certificate.key, key)):
            write_private(target, source.read_text())
            if self._system_user is not None:
                shutil.chown(target, self._system_user, self._system_user)
        return {"ssl": "on", "ssl_cert_file": str(chain), "ssl_key_file": str(key)}

    def _ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        ready = (
            len(lines) > _STATUS_LINE
            and lines[0].strip() == str(self.pid)  # not what a killed server left
            and lines[_STATUS_LINE].strip() == "ready"
        )
        return ready and accepts_connections(self.port)

    def _make_cluster(self) -> None:
        """initdb, then the database, made in single-user mode before any client can connect."""
        programs = find_postgres()
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        secret = self.data.with_name(f"{self.data.name}.password")
        write_private(secret, self.password)
        if self._system_user is not None:
            for path in (draft, secret):
                shutil.chown(path, self._system_user, self._system_user)
        options = ("--encoding=UTF8", "--locale=C", "--data-checksums", "--auth-local=reject")
        self._run(
            (
                *(str(programs / "initdb"), "-D", str(draft), "-U", self.user, *options),
                *("--auth-host=scram-sha-256", f"--pwfile={secret}"),
            )
        )
        secret.unlink()
        single = (str(programs / "postgres"), "--single", "-D", str(draft), "postgres")
        self._run(single, f"CREATE DATABASE {DEFAULT_DATABASE};\n")
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)

    def _run(self, argv: tuple[str, ...], text: str = "") -> None:
        done = subprocess.run(
            argv,
            input=text,
            text=True,
            capture_output=True,
            check=False,
            cwd="/",
            user=self._system_user,
            group=self._system_user,
            extra_groups=[] if self._system_user else None,
        )
        with self.log.open("a") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise ProcessFailed(f"{argv[0]} failed:\n{done.stdout}{done.stderr}")

    def _data_folder(self) -> Path:
        """``folder/data``, or a folder under /tmp if the system user cannot get there."""
        user = self._system_user
        if user is None or not _is_user(user) or _can_enter(user, self.folder):
            return self.folder / "data"
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
        home = Path(tempfile.gettempdir()) / f"hilum-postgres-{mark}"
        return home / "data"


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _can_enter(user: str, folder: Path) -> bool:
    """Whether ``user`` may pass through ``folder`` and everything above it."""
    done = subprocess.run(
        ["test", "-x", str(folder)], check=False, user=user, group=user, extra_groups=[]
    )
    return done.returncode == 0
