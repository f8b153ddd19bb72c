"""An installation on the real node reads films, and reads them as `make demo` does."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from PIL import Image

from hilum_stack.embedded import EmbeddedStack
from hilum_stack.films import choose_films
from hilum_stack.paths import DEFAULT_CXR_FOLDER
from tests.cluster.e2e.sending import submit
from tests.cluster.patience import wait_long

if TYPE_CHECKING:
    from tests.cluster.e2e.installation import Installation

_ENDED = {"completed", "rejected", "failed"}


def test_helm_test_passes(installation: Installation):
    """A film of each priority goes through the whole installation, as the chart tests itself."""
    assert "the installation works" in installation.release.test()


def test_a_film_is_read_as_the_demo_reads_it(
    installation: Installation, api: httpx.Client, tmp_path: Path
):
    """Findings, boxes and heatmaps through Triton in pods equal those of the embedded stack."""
    films = [Path(film) for film in choose_films([], DEFAULT_CXR_FOLDER, tmp_path)]
    demo = EmbeddedStack(tmp_path / "demo")
    try:
        demo.start()
        headers = {"Authorization": f"Bearer {demo.api_key}"}
        with httpx.Client(base_url=demo.url, headers=headers, timeout=60.0) as at_home:
            for film in films:
                _assert_read_alike(film, api, at_home)
    finally:
        demo.stop()


def _assert_read_alike(film: Path, api: httpx.Client, at_home: httpx.Client) -> None:
    there, here = _read(api, film), _read(at_home, film)
    assert there["state"] == here["state"] == "completed"
    assert _probabilities(there) == pytest.approx(_probabilities(here), abs=1e-4)
    pictures = _pictures(there)
    assert [name for name, _ in pictures] == [name for name, _ in _pictures(here)]
    for (_, distant), (_, near) in zip(pictures, _pictures(here), strict=True):
        difference = np.abs(_pixels(api, distant) - _pixels(at_home, near))
        assert difference.max() <= 2, film.name


def _read(api: httpx.Client, film: Path) -> dict[str, Any]:
    job_id = submit(api, film.read_bytes(), film.name)
    path = f"/v1/jobs/{job_id}"
    wait_long(lambda: api.get(path).json()["state"] in _ENDED, f"{film.name} to be read")
    read: dict[str, Any] = api.get(path).json()
    return read


def _probabilities(job: dict[str, Any]) -> dict[str, float]:
    return {
        f"{panel['panel']}/{finding['label']}": finding["probability"]
        for panel in job["result"]["panels"]
        for finding in panel["findings"]
    }


def _pictures(job: dict[str, Any]) -> list[tuple[str, str]]:
    """The film's preview and every heatmap: what it is, and its address."""
    heatmaps = [
        (f"{panel['panel']}/{finding['label']}", finding["heatmap"])
        for panel in job["result"]["panels"]
        for finding in panel["findings"]
        if finding["heatmap"]
    ]
    return [("preview", job["links"]["preview"]), *heatmaps]


def _pixels(api: httpx.Client, address: str) -> np.ndarray:
    answer = api.get(address)
    assert answer.status_code == httpx.codes.OK, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        return np.asarray(picture).astype(np.int16)
