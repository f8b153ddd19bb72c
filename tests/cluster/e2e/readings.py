"""What an installation read of a film, and whether two installations read the same."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from PIL import Image

from hilum.imaging.localisation import GRID
from tests.cluster.e2e.sending import submit
from tests.cluster.patience import wait_long

if TYPE_CHECKING:
    from pathlib import Path

_ENDED = {"completed", "rejected", "failed"}
_GREY_LEVELS = 2
_PROBABILITY = 1e-4
_SCORE = 1e-2  # of a box, in logits: the probabilities' tolerance, far out on the sigmoid


@dataclass(frozen=True, slots=True)
class Reading:
    """One film's job with its pictures.

    Attributes:
        job: What the API says of it, the result included.
        pictures: The preview and every heatmap by what they show, as PNG or JPEG.
    """

    job: dict[str, Any]
    pictures: dict[str, bytes]

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        """Panel and label -> the finding."""
        return {
            f"{panel['panel']}/{finding['label']}": finding
            for panel in self.job["result"]["panels"]
            for finding in panel["findings"]
        }


def read_film(api: httpx.Client, film: Path) -> Reading:
    """Sends a film and waits for its reading; one that was sent before is not read again."""
    return await_reading(api, submit(api, film.read_bytes(), film.name))


def await_reading(api: httpx.Client, job_id: str) -> Reading:
    """Waits until a job has ended, and fetches what it read."""
    path = f"/v1/jobs/{job_id}"
    wait_long(lambda: api.get(path).json()["state"] in _ENDED, f"job {job_id} to end")
    return fetch_reading(api, job_id)


def fetch_reading(api: httpx.Client, job_id: str) -> Reading:
    """A job that has ended, and its pictures."""
    job = _get(api, f"/v1/jobs/{job_id}").json()
    assert job["state"] == "completed", job
    reading = Reading(job, {})
    reading.pictures["preview"] = _get(api, job["links"]["preview"]).content
    for name, finding in reading.findings.items():
        if finding["heatmap"]:
            reading.pictures[name] = _get(api, finding["heatmap"]).content
    return reading


def assert_alike(one: Reading, other: Reading) -> None:
    """Two servers may add up in another order: equal to the last places that a person sees."""
    assert one.findings.keys() == other.findings.keys()
    for name, finding in one.findings.items():
        counterpart = other.findings[name]
        assert finding["positive"] == counterpart["positive"], name
        near = pytest.approx(counterpart["probability"], abs=_PROBABILITY)
        assert finding["probability"] == near, name
        _assert_boxes_alike(name, one, other)
    assert one.pictures.keys() == other.pictures.keys()
    for name, picture in one.pictures.items():
        difference = np.abs(_pixels(picture) - _pixels(other.pictures[name]))
        assert difference.max() <= _GREY_LEVELS, name


def _assert_boxes_alike(name: str, one: Reading, other: Reading) -> None:
    """A cell of the map that lies on the threshold may belong to a box or not: one cell's width."""
    boxes, counterparts = one.findings[name]["boxes"], other.findings[name]["boxes"]
    assert len(boxes) == len(counterparts), name
    cell = max(_pixels(one.pictures["preview"]).shape) / GRID
    for box, counterpart in zip(boxes, counterparts, strict=True):
        for side in ("x", "y", "width", "height"):
            assert box[side] == pytest.approx(counterpart[side], abs=cell), name
        assert box["score"] == pytest.approx(counterpart["score"], abs=_SCORE), name


def _get(api: httpx.Client, address: str) -> httpx.Response:
    answer = api.get(address)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer


def _pixels(picture: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(picture)) as opened:
        return np.asarray(opened).astype(np.int16)
