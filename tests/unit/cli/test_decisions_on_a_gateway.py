"""What is decided on the database, seen by a gateway and a worker that are running."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hilum.imaging.png_writer import encode_png
from tests.unit.worker.embedded import noise_film

SITE = "ward"
FILMS = 48


@pytest.fixture
def decide(client, stack):
    """The command with the running stack's database and models."""
    rows = {name: stack.env[name] for name in ("HILUM_DATABASE_URL", "HILUM_MODEL_REPOSITORY")}

    def run(*arguments: object) -> str:
        ended = client(*arguments, **rows)
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    return run


@pytest.fixture
def read(client):
    """Sends a film of the site and waits for its result; gives the job."""

    def run(path: Path) -> dict:
        ended = client("analyse", path, "--site", SITE, "--json")
        assert ended.exit_code == 0, ended.output
        (film,) = json.loads(ended.stdout)["films"]
        return film["job"]

    return run


def operating_point(job: dict) -> float:
    (panel,) = [panel for panel in job["result"]["panels"] if panel["panel"] == "pneumonia"]
    (finding,) = [finding for finding in panel["findings"] if finding["label"] == "normal"]
    return finding["operating_point"]


def labelled_films(decide_job) -> Path:
    """A CSV of films that the site sent, named by their jobs."""
    lines = ["job_id,pneumonia"]
    for number in range(FILMS):
        pixels = np.random.default_rng(number).integers(20, 60, (96, 96)).astype(np.uint8)
        pixels[:24] += np.uint8(40 + 40 * (number % 2) + 12 * np.sin(number))
        path = Path(f"{number}.png")
        path.write_bytes(encode_png(pixels))
        label = "normal" if number % 2 else "covid19"
        lines.append(f"{decide_job(path)['job_id']},{label}")
    csv = Path("labelled.csv")
    csv.write_text("\n".join(lines), encoding="utf-8")
    return csv


def test_a_site_s_fitted_threshold_reads_its_films_once_it_is_promoted(decide, read, command):
    """On films that were sent before; a film that is sent again is read again, elsewhere not."""
    csv = labelled_films(read)
    fitted = ("thresholds", "fit", csv, "--site", SITE, "--sensitivity", "0.9", "--label", "normal")
    assert "models promote" in decide(*fitted, "--save")
    again = Path("again.png")
    again.write_bytes(noise_film(4711))
    before = read(again)
    assert operating_point(before) == 0.25
    decide("thresholds", "adopt-defaults", "chest", "1.0.0", "--site", SITE)
    decide("models", "promote", "chest", "1.0.0", "--site", SITE)
    shown = decide("thresholds", "show", "pneumonia", "normal", "--site", SITE)
    (point,) = [line for line in shown.splitlines() if line.startswith("operating point")]
    after = before
    while after["job_id"] == before["job_id"]:  # until the gateway has taken it up
        after = read(again)
    while operating_point(after) == 0.25:  # until the worker has, too
        again.write_bytes(noise_film(int(after["job_id"][:8], 16)))
        after = read(again)
    assert operating_point(after) == pytest.approx(float(point.split()[-1]), rel=1e-5)
    assert operating_point(after) != 0.25
    assert decide("audit", "verify").count("the chain is whole") == 1
