"""A real MinIO server: one folder, random root credentials, loopback only, no call home."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING, Self

from hilum_stack.health import is_healthy
from hilum_stack.paths import CACHE
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.process import Command
from hilum_stack.server import Server, find_program, kept_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_stack.certificate import Certificate

DEFAULT_BUCKET = "hilum"


def find_minio() -> Path:
    """Finds ``minio`` on the PATH or where `make services` builds it.

    Raises:
        ServerMissing: It is in neither.
    """
    return find_program("MinIO", "minio", CACHE / "bin")


class MinioServer(Server):
    """One MinIO on one folder. Buckets are made by whoever uses it."""

    name = "minio"

    def __init__(self, folder: Path, certificate: Certificate | None = None) -> None:
        super().__init__(folder)
        self._certificate = certificate
        self.port = reserve_port()
        kept = kept_secrets(self.folder / "credentials.json", _new_credentials)
        self.access_key = kept["access_key"]
        self.secret_key = kept["secret_key"]

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Starts MinIO with its data in ``folder``.

        Raises:
            ServerMissing: MinIO is not installed.
            ProcessFailed: It did not start.
        """
        return cls(folder).launch()

    def require_installed(self) -> None:
        """Raises ``ServerMissing`` unless ``find_minio`` finds it."""
        find_minio()

    @property
    def endpoint(self) -> str:
        """``127.0.0.1:PORT``, as S3 clients want it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """The object store address of the default bucket, in Hilum's form."""
        return self.bucket_url(DEFAULT_BUCKET)

    def bucket_url(self, bucket: str) -> str:
        """``s3://ACCESS:SECRET@127.0.0.1:PORT/BUCKET?secure=false``; true with a certificate."""
        secure = "false" if self._certificate is None else "true"
        return f"s3://{self.access_key}:{self.secret_key}@{self.endpoint}/{bucket}?secure={secure}"

    def _command(self) -> Command:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        certificates = self.folder / "certs"
        certificates.mkdir(exist_ok=True)
        if self._certificate is not None:
            shutil.copyfile(self._certificate.chain, certificates / "public.crt")
            shutil.copyfile(self._certificate.key, certificates / "private.key")
        argv = (
            *(str(find_minio()), "--certs-dir", str(certificates), "server"),
            *("--address", self.endpoint, str(data)),
        )
        return Command(self.name, argv, self.log, env=self._environment())

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "MINIO_ROOT_USER": self.access_key,
            "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_BROWSER": "off",
            # Nothing leaves the machine: no update check, no subscription service.
            "MINIO_UPDATE": "off",
            "MINIO_CALLHOME_ENABLE": "off",
        }

    def _ready(self) -> bool:
        # "ready" is told before the drives are: the first request would get a 503.
        authority = None if self._certificate is None else self._certificate.authority
        return is_healthy(self.port, "/minio/health/cluster", authority)


def _new_credentials() -> dict[str, str]:
    return {"access_key": secrets.token_hex(10), "secret_key": secrets.token_hex(20)}
