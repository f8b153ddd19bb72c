"""Every client checks its server: the authority by which it proves itself, and its name."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from hilum_stack.minio import MinioServer
from hilum_stack.postgres import PostgresServer
from hilum_stack.redis import RedisServer
from hilum_stack.triton import TritonServer
from tests.certificates import Authority
from tests.servers import MODEL_REPOSITORY, run_folder, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hilum_stack.certificate import Certificate

pytestmark = pytest.mark.real

KINDS = ("postgres", "redis", "minio", "models", "triton")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with run_folder() as made:
        yield made


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder / "authority")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Authority:
    """Signed none of these servers' certificates."""
    return Authority(folder / "stranger", "stranger")


def addresses(certificate: Certificate) -> Iterator[dict[str, str]]:
    """Starts one of each; their addresses, with a query to lay the authority into."""
    triton = partial(TritonServer, certificate=certificate)
    with (
        started(PostgresServer, certificate) as postgres,
        started(RedisServer, certificate) as redis,
        started(MinioServer, certificate) as minio,
        started(triton, MODEL_REPOSITORY) as inference,
    ):
        yield {
            "postgres": postgres.url.partition("&sslrootcert")[0],
            "redis": redis.url,
            "minio": minio.url,
            "models": minio.url,
            "triton": inference.url,
        }


@pytest.fixture(scope="module")
def servers(authority: Authority) -> Iterator[dict[str, str]]:
    yield from addresses(authority.sign("hilum", ["IP:127.0.0.1"]))


def answer(kind: str, url: str, trusted: Path) -> str:
    """What a client that trusts one authority gets."""
    if kind == "postgres":
        url = f"{url}&sslrootcert={trusted}"
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.servers.tls_client", kind, url],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SSL_CERT_FILE": str(trusted),
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(trusted),
        },
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_of_the_trusted_authority_is_spoken_to(servers, authority, kind):
    """By the variables and parameters that the chart sets."""
    assert answer(kind, servers[kind], authority.certificate) == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_of_another_authority_is_refused(servers, stranger, kind):
    """As if it were not there."""
    told = answer(kind, servers[kind], stranger.certificate)
    assert told != "ok"
    assert "Unavailable" in told or "SSL" in told or "Retry" in told, told


@pytest.mark.parametrize(
    ("kind", "clear"),
    [
        ("redis", lambda url: url.replace("rediss://", "redis://")),
        ("minio", lambda url: url.replace("secure=true", "secure=false")),
        ("triton", lambda url: url.replace("?secure=true", "")),
    ],
)
def test_no_server_speaks_in_the_clear(servers, authority, kind, clear: Callable[[str], str]):
    """A client that was told no TLS gets no answer."""
    assert answer(kind, clear(servers[kind]), authority.certificate) != "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_of_another_name_is_refused(servers, authority, kind):
    """The right authority, and a certificate that names it otherwise than it was called."""
    told = answer(kind, servers[kind].replace("127.0.0.1", "localhost"), authority.certificate)
    assert "Unavailable" in told or "SSL" in told or "Retry" in told or "certificate" in told, told
