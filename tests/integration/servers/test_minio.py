"""MinIO as the stack runs it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import psutil
import pytest
from minio import Minio
from minio.error import S3Error

from hilum_stack.minio import MinioServer
from tests.servers import started

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server() -> Iterator[MinioServer]:
    """A MinIO of this module's own: its tests stop and kill it."""
    with started(MinioServer) as started_server:
        yield started_server


def client_of(server: MinioServer, secret_key: str | None = None) -> Minio:
    return Minio(
        server.endpoint,
        access_key=server.access_key,
        secret_key=secret_key or server.secret_key,
        secure=False,
    )


def put(server: MinioServer, name: str, body: bytes) -> None:
    client = client_of(server)
    if not client.bucket_exists("films"):
        client.make_bucket("films")
    client.put_object("films", name, io.BytesIO(body), len(body))


def get(server: MinioServer, name: str) -> bytes:
    answer = client_of(server).get_object("films", name)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def test_wrong_credentials_are_refused(server: MinioServer) -> None:
    """Another user of the machine cannot read films."""
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        client_of(server, secret_key="wrong-secret").list_buckets()


def test_it_listens_on_loopback_only(server: MinioServer) -> None:
    """No port is open to the network: neither the API nor a console."""
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening
    assert listening <= {"127.0.0.1", "::1"}


def test_a_restart_keeps_films(server: MinioServer) -> None:
    """An object survives a restart, at the same address with the same credentials."""
    put(server, "restarted", b"film")
    server.restart()
    assert get(server, "restarted") == b"film"


def test_a_killed_server_keeps_films(server: MinioServer) -> None:
    """An object that was acknowledged survives SIGKILL."""
    put(server, "killed", b"film" * 1000)
    server.kill()
    server.restart()
    assert get(server, "killed") == b"film" * 1000


def test_stop_leaves_no_process(server: MinioServer) -> None:
    """The process is gone when stop returns."""
    process = psutil.Process(server.pid)
    server.stop()
    assert not process.is_running()
    server.restart()
