"""A gateway on fakes, and programs that use its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from fastapi.testclient import TestClient

from hilum.domain.principal import ALL_SITES, Role
from tests.fakes.film_reader import graymap
from tests.unit.gateway.pages.browsing import FakeGateway, fake_settings

if TYPE_CHECKING:
    import httpx

    from hilum.domain.errors import HilumError

__all__ = ["Api", "FakeGateway", "fake_settings", "film_bytes"]

FILM_SIZE = (96, 72)
"""Width and height of the test films."""

MULTIPART = "multipart/form-data; boundary=xYz"


def film_bytes(seed: int = 1) -> bytes:
    """A film for the fake reader: bright below, dark above; another one for each seed."""
    width, height = FILM_SIZE
    noise = np.random.default_rng(seed).integers(0, 40, (height, width))
    ramp = np.linspace(0, 200, height)[:, np.newaxis]
    return graymap((ramp + noise).astype(np.uint8))


class Api:
    """A client with a key of its own."""

    def __init__(
        self, gateway: FakeGateway, role: Role = Role.ADMIN, site: str = ALL_SITES
    ) -> None:
        self.gateway = gateway
        self.key = gateway.new_key(role, site)
        self.client = TestClient(
            gateway.app,
            raise_server_exceptions=False,
            headers={"Authorization": f"Bearer {self.key}"},
        )

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.client.get(path, **options)  # type: ignore[arg-type]

    def put(self, path: str, **options: object) -> httpx.Response:
        return self.client.put(path, **options)  # type: ignore[arg-type]

    def post(self, path: str, **options: object) -> httpx.Response:
        return self.client.post(path, **options)  # type: ignore[arg-type]

    def submit(self, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
        """Submit films as ``(name, content)``."""
        parts = [("files", file) for file in files]
        return self.client.post("/v1/studies", files=parts, data=fields)

    def send_body(self, body: bytes, content_type: str = MULTIPART) -> httpx.Response:
        """Submit a body as it is."""
        headers = {"Content-Type": content_type}
        return self.client.post("/v1/studies", content=body, headers=headers)

    def accepted(self, seed: int = 1, **fields: str) -> str:
        """Submit one film; its job's id."""
        answer = self.submit((f"film-{seed}.pgm", film_bytes(seed)), **fields)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["jobs"][0]["job_id"]
        return job_id

    def completed(self, seed: int = 1, **fields: str) -> str:
        """Submit one film and have it read; its job's id."""
        job_id = self.accepted(seed, **fields)
        self.gateway.work()
        return job_id

    def parked(self, error: HilumError, seed: int = 1) -> str:
        """Submit one film whose reading fails for good; its job's id."""
        job_id = self.accepted(seed)
        self.gateway.engine.failure = error
        self.gateway.work()
        self.gateway.engine.failure = None
        return job_id


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Check that an answer is a problem of this status and code; its document."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:hilum:error:{code}"
    assert document["request_id"] == answer.headers["x-request-id"]
    return document


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """One part of a multipart body."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--xYz\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    """A whole multipart body."""
    return b"".join(parts) + b"--xYz--\r\n"
