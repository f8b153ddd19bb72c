"""Sends films to a gateway as a program would."""

from __future__ import annotations

import io
from itertools import count
from typing import TYPE_CHECKING

import httpx
import numpy as np
from PIL import Image

from hilum.imaging.phantom import phantom_film

if TYPE_CHECKING:
    from hilum_stack.real import RealStack

_SEEDS = count(1)


def new_film() -> bytes:
    """A phantom film that was never sent before, PNG."""
    seed = next(_SEEDS)
    pixels = phantom_film(320, 256, seed=seed).copy()
    pixels[0, :4] = np.frombuffer(seed.to_bytes(4, "big"), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    return encoded.getvalue()


class Sender:
    """An API client with the stack's admin key."""

    def __init__(self, stack: RealStack) -> None:
        self.client = httpx.Client(
            base_url=stack.url,
            headers={"Authorization": f"Bearer {stack.api_key}"},
            timeout=60.0,
        )

    def post(self, film: bytes, priority: str = "routine") -> httpx.Response:
        """Upload one film; whatever the gateway answers."""
        files = {"files": ("film.png", film)}
        return self.client.post("/v1/studies", files=files, data={"priority": priority})

    def send(self, number: int = 1, priority: str = "routine") -> list[str]:
        """Upload so many new films, one request each; the ids of their jobs."""
        ids = []
        for _ in range(number):
            answer = self.post(new_film(), priority)
            assert answer.status_code == httpx.codes.ACCEPTED, answer.text
            ids.extend(job["job_id"] for job in answer.json()["jobs"])
        return ids

    def job(self, job_id: str) -> dict[str, object]:
        """A job as the API tells it."""
        answer = self.client.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == httpx.codes.OK, answer.text
        body: dict[str, object] = answer.json()
        return body
