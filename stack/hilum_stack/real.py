"""The stack on real servers: PostgreSQL, Redis, MinIO and Triton, each on a free port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum_stack.minio import MinioServer
from hilum_stack.paths import MODEL_REPOSITORY
from hilum_stack.postgres import PostgresServer
from hilum_stack.redis import RedisServer
from hilum_stack.server import make_folder
from hilum_stack.stack import Stack
from hilum_stack.triton import TritonServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hilum_stack.certificate import Certificate
    from hilum_stack.pacs import Pacs
    from hilum_stack.server import Server


class RealStack(Stack):
    """What runs on a cluster, on one machine.

    Attributes:
        postgres: The database.
        redis: The broker.
        minio: The object store.
        triton: The inference server.
    """

    folder_mode = 0o711  # PostgreSQL's system user passes through

    def __init__(  # noqa: PLR0913 - keyword-only, so readable
        self,
        folder: Path,
        *,
        workers: int = 2,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        model_repository: Path = MODEL_REPOSITORY,
        certificate: Certificate | None = None,
        dicom_port: int | None = None,
        pacs: Pacs | None = None,
    ) -> None:
        """Prepares a stack; arguments as of ``Stack``.

        With a certificate every server and the gateway speak TLS alone, and every client checks
        them against its authority.
        """
        make_folder(folder.absolute(), self.folder_mode)
        env = {**_tls(certificate), **(env or {})}
        super().__init__(
            folder,
            workers=workers,
            port=port,
            env=env,
            model_repository=model_repository,
            dicom_port=dicom_port,
            pacs=pacs,
        )
        self.postgres = PostgresServer(self.folder / "postgres", certificate)
        self.redis = RedisServer(self.folder / "redis", certificate)
        self.minio = MinioServer(self.folder / "minio", certificate)
        self.triton = TritonServer(
            self.folder / "triton", model_repository, env, certificate=certificate
        )

    @property
    def servers(self) -> Sequence[Server]:
        """Triton first: it takes longest, and needs none of the others."""
        return (self.triton, self.postgres, self.minio, self.redis)

    def _addresses(self) -> dict[str, str]:
        return {
            "HILUM_DATABASE_URL": self.postgres.url,
            "HILUM_OBJECT_STORE_URL": self.minio.url,
            "HILUM_BROKER_URL": self.redis.url,
            "HILUM_INFERENCE_URL": self.triton.url,
        }


def _tls(certificate: Certificate | None) -> dict[str, str]:
    """What gateway, workers and commands are told of it."""
    if certificate is None:
        return {}
    return {
        "HILUM_TLS_CERTIFICATE": str(certificate.chain),
        "HILUM_TLS_KEY": str(certificate.key),
        "SSL_CERT_FILE": str(certificate.authority),
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate.authority),
    }
