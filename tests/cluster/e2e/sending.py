"""Films for an installation, and what its own stores say became of them."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import numpy as np
from minio import Minio
from PIL import Image
from urllib3 import PoolManager

from tests.integration.faults.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.cluster.e2e.installation import Installation


class ClusterLedger(Ledger):
    """The ledger of the fault tests, on the servers of an installation."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        authority = folder / "ledger-ca.crt"
        authority.write_bytes(installation.authority)
        password = installation.credential("database-password")
        host = installation.address("hilum-postgresql")
        self._url = f"postgresql://hilum:{password}@{host}:5432/hilum?sslmode=require"
        name = f"hilum-minio.{installation.kubectl.namespace}.svc"
        self._minio = Minio(
            f"{installation.address('hilum-minio')}:9000",
            access_key=installation.credential("object-store-access-key"),
            secret_key=installation.credential("object-store-secret-key"),
            http_client=PoolManager(
                ca_certs=str(authority), assert_hostname=name, server_hostname=name
            ),
        )
        self._bucket = "hilum"


def films_like(film: Path) -> Iterator[bytes]:
    """Films that read like one film and are each a new one: a few border pixels differ, PNG."""
    with Image.open(film) as opened:
        pixels = np.asarray(opened.convert("L"))
    for number in itertools.count():
        marked = pixels.copy()
        marked[0, :4] = np.frombuffer(number.to_bytes(4, "big"), dtype=np.uint8)
        encoded = io.BytesIO()
        Image.fromarray(marked).save(encoded, "PNG", compress_level=1)
        yield encoded.getvalue()


def submit(api: httpx.Client, film: bytes, name: str = "film.png") -> str:
    """Uploads one film; its job's id, which of a film that was sent before is the one of then."""
    answer = api.post("/v1/studies", files={"files": (name, film)})
    assert answer.is_success, answer.text
    (job,) = answer.json()["jobs"]
    return str(job["job_id"])
