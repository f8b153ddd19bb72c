"""What Hilum answers for an image, without what differs from run to run: ids and times."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.previous.release import Served

FROZEN: Final = Path(__file__).with_name("answers.json.gz")
SETTLED: Final = frozenset({"completed", "rejected", "failed", "discarded"})
_IDS_AND_TIMES: Final = frozenset(
    {"job_id", "study_id", "timings_ms", "created_at", "updated_at", "finished_at"}
)
_MOST_FILES: Final = 16
EXACT: Final[Mapping[str, float]] = {"": 0.0}
ON_ANY_PROCESSOR: Final[Mapping[str, float]] = {
    "": 2e-6,
    "boxes": 0.01,
    "structures": 0.01,
    "outlines": 0.005,
}
"""Probabilities have six decimals, so that a difference of 1e-6 may show as two of the last place.
Boxes and structures are in pixels. Outlines are compared as areas, by the share that only one of
them has: a pixel of a mask whose probability is one half may fall on either side, and its outline
has other points then."""


class Client:
    """Sends images to a running Hilum and reads what it answers."""

    def __init__(self, served: Served, api_key: str = "") -> None:
        self._http = httpx.Client(
            base_url=served.url,
            headers={"Authorization": f"Bearer {api_key or served.api_key}"},
            timeout=120,
            trust_env=False,
        )

    def send(self, images: Mapping[str, bytes], **fields: str) -> dict[str, dict[str, Any]]:
        """Submit images.

        Returns:
            The gateway's entry for each, by name.
        """
        names = list(images)
        told: dict[str, dict[str, Any]] = {}
        for first in range(0, len(names), _MOST_FILES):
            some = names[first : first + _MOST_FILES]
            files = [("files", (Path(name).name, images[name])) for name in some]
            answer = self._http.post("/v1/studies", files=files, data=fields)
            told |= dict(zip(some, answer.json()["jobs"], strict=True))
        return told

    def settled(self, job_id: str, patience_s: float = 600) -> dict[str, Any]:
        """Return a job's document once its work has ended.

        Raises:
            TimeoutError: It has not after this long.
        """
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            document: dict[str, Any] = self.get(f"/v1/jobs/{job_id}").json()
            if document["state"] in SETTLED:
                return document
            time.sleep(0.1)
        raise TimeoutError(f"job {job_id} is still {document['state']}")

    def get(self, path: str) -> httpx.Response:
        """Ask for a document or a picture."""
        return self._http.get(path)

    def answers(self, images: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        """Return the answer for each image, by name, in the form that is compared."""
        return {
            name: comparable(entry if entry["job_id"] is None else self.settled(entry["job_id"]))
            for name, entry in self.send(images).items()
        }

    def pictures(self, document: Mapping[str, Any]) -> dict[str, str]:
        """Return the SHA-256 of each picture that a job's document names, by its path."""
        job_id = document["job_id"]
        paths = [f"/v1/jobs/{job_id}/preview.png", *_pictures(document.get("result"))]
        return {
            path.replace(job_id, "JOB"): hashlib.sha256(self.get(path).content).hexdigest()
            for path in paths
        }


def _pictures(part: object) -> list[str]:
    if isinstance(part, dict):
        named = [part[key] for key in ("heatmap", "outlines") if isinstance(part.get(key), str)]
        return [*named, *(path for value in part.values() for path in _pictures(value))]
    if isinstance(part, list):
        return [path for value in part for path in _pictures(value)]
    return []


def comparable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without ids and times; paths name ``JOB``."""
    text = json.dumps({k: v for k, v in document.items() if k not in _IDS_AND_TIMES})
    for name in ("job_id", "study_id"):
        if document.get(name):
            text = text.replace(document[name], "JOB")
    kept: dict[str, Any] = json.loads(text)
    return kept


def read_frozen() -> dict[str, dict[str, Any]]:
    """Return the previous release's answer for each image, by name."""
    answers: dict[str, dict[str, Any]] = json.loads(gzip.decompress(FROZEN.read_bytes()))
    return answers


def write_frozen(answers: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep answers."""
    text = json.dumps(answers, sort_keys=True, separators=(",", ":"))
    FROZEN.write_bytes(gzip.compress(text.encode(), mtime=0))


def differences(
    before: object, now: object, place: str = "", tolerances: Mapping[str, float] = EXACT
) -> list[str]:
    """Return where two answers differ; fields that are new are no difference.

    Args:
        before: The previous release's.
        now: This release's.
        place: Of both in the whole document.
        tolerances: Absolute, of numbers that are no integers: of the key nearest above, else of "".
    """
    if place.endswith("/outlines") and "outlines" in tolerances and isinstance(before, list):
        share = _area_of_one_alone(before, now)
        allowed = tolerances["outlines"]
        return [] if share <= allowed else [f"{place}: {share:.4f} of the area differs"]
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            found
            for name, value in before.items()
            for found in differences(value, now.get(name), f"{place}/{name}", tolerances)
        ]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [
            found
            for number, (one, other) in enumerate(zip(before, now, strict=True))
            for found in differences(one, other, f"{place}/{number}", tolerances)
        ]
    if isinstance(before, float) and isinstance(now, (int, float)):
        allowed = _allowed(place, tolerances)
        return [] if abs(before - now) <= allowed else [f"{place}: {before!r}, now {now!r}"]
    return [] if before == now else [f"{place}: {before!r}, now {now!r}"]


def _area_of_one_alone(before: list[Any], now: object) -> float:
    """Return the area that only one of two sets of outlines covers, as a share of both together."""
    if not isinstance(now, list) or len(before) != len(now):
        return 1.0
    points = [point for outline in (*before, *now) for point in outline]
    width, height = (int(max(axis)) + 2 for axis in zip(*points, strict=True)) if points else (1, 1)
    one, other = (_covered(outlines, width, height) for outlines in (before, now))
    return float((one ^ other).sum() / max(1, (one | other).sum()))


def _covered(outlines: list[Any], width: int, height: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    canvas = Image.new("1", (width, height))
    for outline in outlines:
        ImageDraw.Draw(canvas).polygon([tuple(point) for point in outline], fill=1)
    return np.asarray(canvas)


def _allowed(place: str, tolerances: Mapping[str, float]) -> float:
    return next(
        (tolerances[name] for name in reversed(place.split("/")) if name in tolerances),
        tolerances[""],
    )
