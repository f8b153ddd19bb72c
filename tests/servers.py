"""Real servers for tests: one of each per test process, started when first asked for.

A missing server is a failure where CI=true and a skip elsewhere. Each process of pytest-xdist
starts servers of its own, on ports that it reserves, with data in a folder that it deletes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import pytest

from hilum_stack.errors import ServerMissing
from hilum_stack.minio import MinioServer
from hilum_stack.postgres import PostgresServer
from hilum_stack.redis import RedisServer
from hilum_stack.triton import TritonServer
from tests.pgbouncer import PgBouncerServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum_stack.server import Server

    ServerT = TypeVar("ServerT", bound=Server)

MODEL_REPOSITORY = Path(__file__).resolve().parents[1] / "model_repository"


@contextmanager
def run_folder() -> Iterator[Path]:
    """A fresh folder that PostgreSQL's system user can reach (pytest's own is closed to it)."""
    folder = Path(tempfile.mkdtemp(prefix="hilum-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started(kind: type[ServerT], *arguments: Path | Server) -> Iterator[ServerT]:
    """Starts a server in a fresh folder, stops it at the end; skips or fails where it is missing.

    Args:
        kind: The class of the server.
        arguments: Of its constructor, after the folder.
    """
    with run_folder() as folder:
        try:
            server = kind(folder, *arguments).launch()
        except ServerMissing as missing:
            server_missing(missing)
        try:
            yield server
        finally:
            server.stop()


def server_missing(missing: ServerMissing) -> NoReturn:
    """Ends the test: a failure where CI=true, a skip elsewhere."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(str(missing))
    pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL. Make databases of your own in it where tests could meet."""
    with started(PostgresServer) as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer_server(postgres_server: PostgresServer) -> Iterator[PgBouncerServer]:
    """A real PgBouncer in transaction mode before that PostgreSQL."""
    with started(PgBouncerServer, postgres_server) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real Redis, as the broker is configured in production."""
    with started(RedisServer) as server:
        yield server


@pytest.fixture(scope="session")
def minio_server() -> Iterator[MinioServer]:
    """A real MinIO. Take a bucket of your own: ``minio_server.bucket_url(name)``."""
    with started(MinioServer) as server:
        yield server


@pytest.fixture(scope="session")
def triton_server() -> Iterator[TritonServer]:
    """A real Triton that serves model_repository/."""
    with started(TritonServer, MODEL_REPOSITORY) as server:
        yield server
